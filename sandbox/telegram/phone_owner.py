"""What a person does with a phone in hand, without any client of ours."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.media import Document, Photo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.chats.mailbox import Content, Message
    from sandbox.telegram.data_centre import DataCentre

LONGEST_ALBUM = 10
_PHOTO_TYPES = {"image/jpeg", "image/png"}
_DURATION = 1  # seconds; nothing here looks into videos or sounds
_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file on somebody's phone."""

    name: str
    mime_type: str
    content: bytes
    # Telegram keeps files where their senders live; by default where the number does.
    dc_id: int | None = None


@dataclass(frozen=True, slots=True)
class FileView:
    """What can be told of the file of a message."""

    name: str
    mime: str
    size: int
    sha256: str


async def send_files(
    centre: DataCentre,
    people: tuple[Account, Account],
    files: Sequence[OwnFile],
    *,
    text: str = "",
    reply_to: Content | None = None,
    voice: bool = False,
) -> list[int]:
    """Send files from the first person to the second, several as an album.

    The text becomes the first one's caption; the sender's ids come back.
    """
    media = [await _make_media(centre, file, voice=voice) for file in files]
    groups = [secrets.randbits(62) for _ in range(0, len(media), LONGEST_ALBUM)]
    is_album = len(media) > 1 and not voice
    ids = []
    for place, each in enumerate(media):
        draft = Draft(
            text="" if place else text,
            media=each,
            reply_to=reply_to,
            grouped_id=groups[place // LONGEST_ALBUM] if is_album else None,
        )
        ids.append(centre.post_office.send(*people, draft).message.id)
    return ids


def miss_call(centre: DataCentre, caller: Account, called: Account, *, video: bool = False) -> int:
    """Call somebody who does not answer; return the id of the caller's service message."""
    action = types.MessageActionPhoneCall(
        secrets.randbits(62), video=video or None, reason=types.PhoneCallDiscardReasonMissed()
    )
    return centre.post_office.send(caller, called, Draft(action=action)).message.id


async def view_file(centre: DataCentre, message: Message) -> FileView | None:
    """Tell name, type, size, SHA-256 of the file in a message; None when there is none."""
    media = message.content.media
    if not isinstance(media, Photo | Document):
        return None
    digest = await centre.files.digest(media.file)
    return FileView(_name_of(media), media.mime_type, media.file.size, digest)


def _name_of(media: Photo | Document) -> str:
    if isinstance(media, Document):
        named = media.attribute(types.DocumentAttributeFilename)
        return named.file_name if named else ""
    return f"photo.{_SUFFIXES[media.mime_type]}"


async def _make_media(centre: DataCentre, file: OwnFile, *, voice: bool) -> Photo | Document:
    """Choose the kind of message that a Telegram app would send this file as."""
    stored = await centre.files.keep(file.content)
    if file.mime_type in _PHOTO_TYPES and not voice:
        # What Telegram takes for no photo goes as a file.
        with suppress(RpcError):
            return centre.intake.photo(stored, file.name, dc_id=file.dc_id)
    return centre.intake.document(
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
