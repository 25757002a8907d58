"""The files of a message: what they are and where their bytes are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

from telethon.tl import types

from session_worker.protocol.messages import IncomingFile

# Beside paths: what would show a name in another order, so that a program looks like a picture.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f/\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LONGEST_NAME = 120  # characters
LONGEST_DURATION = 365 * 24 * 3600  # seconds
_SHORT_SUBTYPE = re.compile(r"[a-z0-9]{2,4}")  # such as png, which is also a suffix of file names
_SUFFIXES = {"audio/mpeg": ".mp3", "image/jpeg": ".jpg", "application/x-tgsticker": ".tgs"}


class DocumentKind(Enum):
    """The ways in which Telegram shows a file."""

    VIDEO = auto()
    VIDEO_NOTE = auto()
    VOICE = auto()
    AUDIO = auto()
    STICKER = auto()
    GIF = auto()
    FILE = auto()


@dataclass(frozen=True, slots=True)
class Document:
    """A file with everything that its attributes say."""

    kind: DocumentKind
    name: str
    mime: str
    size: int
    duration: float = 0
    emoji: str = ""
    title: str = ""

    @classmethod
    def of(cls, document: Any) -> Self:
        attributes = {type(attribute): attribute for attribute in document.attributes}
        audio = attributes.get(types.DocumentAttributeAudio)
        video = attributes.get(types.DocumentAttributeVideo)
        sticker = attributes.get(types.DocumentAttributeSticker)
        named = attributes.get(types.DocumentAttributeFilename)
        kind = _kind(attributes)
        mime = document.mime_type or "application/octet-stream"
        return cls(
            kind,
            safe_name(named.file_name if named else "", kind.name.lower(), mime),
            mime,
            document.size,
            duration=_seconds(getattr(audio or video, "duration", 0)),
            emoji=getattr(sticker, "alt", "") or "",
            title=" - ".join(filter(None, [audio.performer, audio.title])) if audio else "",
        )


def _seconds(duration: float | None) -> float:
    """Return a duration as its sender states it, or 0 if nothing can last that long."""
    return duration if duration and 0 < duration < LONGEST_DURATION else 0


def safe_name(name: str, stem: str, mime: str) -> str:
    """Make a safe file name: no path, with a suffix, not too long."""
    name = _UNSAFE.sub("_", name).strip(" .")
    if not name:
        return stem + _suffix(mime)
    stem, dot, suffix = name.rpartition(".")
    if len(name) <= _LONGEST_NAME or not dot:
        return name[:_LONGEST_NAME]
    return f"{stem[: _LONGEST_NAME - len(suffix) - 1]}.{suffix}"[:_LONGEST_NAME]


def _suffix(mime: str) -> str:
    subtype = mime.partition("/")[2]
    guess = f".{subtype}" if _SHORT_SUBTYPE.fullmatch(subtype) else ""
    return _SUFFIXES.get(mime, guess)


def _kind(attributes: dict[type, Any]) -> DocumentKind:
    audio = attributes.get(types.DocumentAttributeAudio)
    video = attributes.get(types.DocumentAttributeVideo)
    if (
        types.DocumentAttributeSticker in attributes
        or types.DocumentAttributeCustomEmoji in attributes
    ):
        return DocumentKind.STICKER
    if types.DocumentAttributeAnimated in attributes:
        return DocumentKind.GIF
    if video is not None:
        return DocumentKind.VIDEO_NOTE if video.round_message else DocumentKind.VIDEO
    if audio is not None:
        return DocumentKind.VOICE if audio.voice else DocumentKind.AUDIO
    return DocumentKind.FILE


VECTOR_STICKER = "application/x-tgsticker"  # only Telegram can show it


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a file can be fetched."""

    dc_id: int
    size: int
    location: Any


def files_of(message: Any) -> tuple[IncomingFile, ...]:
    """List the files that have to be fetched for a message."""
    match file_object(message.media):
        case types.Photo() as photo:
            stamp = photo.date.strftime("_%Y-%m-%d_%H-%M-%S") if photo.date else ""
            name = f"photo{stamp}.jpg"
            size = _size_of(photo)
            return (IncomingFile(message_id=message.id, name=name, mime="image/jpeg", size=size),)
        case types.Document() as document:
            return _document_files(message.id, Document.of(document))
        case _:
            return ()


def file_object(media: Any) -> Any:
    """Return the photo or document in the media, if there is one."""
    match media:
        case types.MessageMediaPhoto(photo=types.Photo() as photo):
            return photo
        case types.MessageMediaDocument(document=types.Document() as document):
            return document
        case types.MessageMediaPoll(attached_media=attached) if attached is not None:
            return file_object(attached)
        case _:
            return None


def place_of(file: Any) -> Place:
    """Return where the bytes of a photo or document are."""
    if isinstance(file, types.Document):
        location = types.InputDocumentFileLocation(
            file.id, file.access_hash, file.file_reference, thumb_size=""
        )
        return Place(file.dc_id, file.size, location)
    size = largest(file.sizes)
    location = types.InputPhotoFileLocation(
        file.id, file.access_hash, file.file_reference, thumb_size=size.type if size else "y"
    )
    return Place(file.dc_id, _size_of(file), location)


def largest(sizes: Any) -> Any:
    """Choose the largest version of a picture."""
    whole = [s for s in sizes if isinstance(s, types.PhotoSize | types.PhotoSizeProgressive)]
    return max(whole, key=lambda size: size.w * size.h, default=None)


def _size_of(photo: Any) -> int:
    match largest(photo.sizes):
        case types.PhotoSize(size=size):
            return int(size)
        case types.PhotoSizeProgressive(sizes=sizes):
            return max(sizes, default=0)
        case _:
            return 0


def _document_files(message_id: int, document: Document) -> tuple[IncomingFile, ...]:
    if document.kind is DocumentKind.STICKER and document.mime == VECTOR_STICKER:
        return ()
    return (
        IncomingFile(
            message_id=message_id, name=document.name, mime=document.mime, size=document.size
        ),
    )
