"""What people do on their phones, without a client of ours."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.media import Document, Photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.records.mailbox import Message
    from sandbox.telegram.services import Services

LONGEST_ALBUM = 10
EMPTY = Draft()
_PHOTO_TYPES = {"image/jpeg", "image/png"}
_DURATION = 1  # seconds; the sandbox does not parse videos or sounds
_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file on somebody's phone."""

    name: str
    mime_type: str
    content: bytes
    # Telegram stores files in the sender's data centre; by default that is the number's.
    dc_id: int | None = None


@dataclass(frozen=True, slots=True)
class FileView:
    """A description of the file of a message."""

    name: str
    mime: str
    size: int
    sha256: str


async def send_files(
    services: Services,
    people: tuple[Account, Account],
    files: Sequence[OwnFile],
    draft: Draft = EMPTY,
    *,
    voice: bool = False,
) -> list[int]:
    """Send files from the first person to the second; several files form an album.

    The draft's text becomes the caption of the first file; the sender's message ids are returned.
    """
    media = [await _make_media(services, file, voice=voice) for file in files]
    groups = [secrets.randbits(62) for _ in range(0, len(media), LONGEST_ALBUM)]
    is_album = len(media) > 1 and not voice
    ids = []
    for place, each in enumerate(media):
        item = replace(
            draft,
            text="" if place else draft.text,
            media=each,
            grouped_id=groups[place // LONGEST_ALBUM] if is_album else None,
        )
        ids.append(services.message_actions.send(*people, item).message.id)
    return ids


def miss_call(services: Services, caller: Account, called: Account, *, video: bool = False) -> int:
    """Call somebody who does not answer; return the id of the caller's service message."""
    action = types.MessageActionPhoneCall(
        secrets.randbits(62), video=video or None, reason=types.PhoneCallDiscardReasonMissed()
    )
    return services.message_actions.send(caller, called, Draft(action=action)).message.id


async def view_file(services: Services, message: Message) -> FileView | None:
    """Return the name, type, size and SHA-256 of the file in a message, or None without a file."""
    media = message.content.media
    if not isinstance(media, Photo | Document):
        return None
    digest = await services.files.digest(media.file)
    return FileView(_name_of(media), media.mime_type, media.file.size, digest)


def _name_of(media: Photo | Document) -> str:
    if isinstance(media, Document):
        named = media.attribute(types.DocumentAttributeFilename)
        return named.file_name if named else ""
    return f"photo.{_SUFFIXES[media.mime_type]}"


async def _make_media(services: Services, file: OwnFile, *, voice: bool) -> Photo | Document:
    """Make a photo or a document of this file, as a Telegram app would."""
    stored = await services.files.keep(file.content)
    if file.mime_type in _PHOTO_TYPES and not voice:
        # A picture that Telegram does not accept as a photo is sent as a file.
        with suppress(RpcError):
            return services.intake.photo(stored, file.name, dc_id=file.dc_id)
    return services.intake.document(
        stored, file.mime_type, _attributes(file, voice=voice), dc_id=file.dc_id
    )


def _attributes(file: OwnFile, *, voice: bool) -> list[Any]:
    if voice:
        return [types.DocumentAttributeAudio(_DURATION, voice=True)]
    named = types.DocumentAttributeFilename(file.name)
    match file.mime_type.partition("/")[0]:
        case "video":
            return [types.DocumentAttributeVideo(_DURATION, 640, 360), named]
        case "audio":
            return [types.DocumentAttributeAudio(_DURATION), named]
        case _ if file.mime_type == "image/gif":
            return [types.DocumentAttributeAnimated(), named]
        case _:
            return [named]
