"""The files of a message, with what they are and where they lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

from telethon.tl import types

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")
_LONGEST_NAME = 120  # characters
_SHORT_SUBTYPE = re.compile(r"[a-z0-9]{2,4}")  # such as png, also an ending of file names
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
    """A file with all that its attributes tell."""

    kind: DocumentKind
    name: str
    mime: str
    size: int
    duration: float = 0
    emoji: str = ""
    title: str = ""

    @classmethod
    def of(cls, document: Any) -> Self:
        told = {type(attribute): attribute for attribute in document.attributes}
        audio = told.get(types.DocumentAttributeAudio)
        video = told.get(types.DocumentAttributeVideo)
        sticker = told.get(types.DocumentAttributeSticker)
        named = told.get(types.DocumentAttributeFilename)
        kind = _kind(told)
        mime = document.mime_type or "application/octet-stream"
        return cls(
            kind,
            safe_name(named.file_name if named else "", kind.name.lower(), mime),
            mime,
            document.size,
            duration=getattr(audio or video, "duration", 0) or 0,
            emoji=getattr(sticker, "alt", "") or "",
            title=" - ".join(filter(None, [audio.performer, audio.title])) if audio else "",
        )


def safe_name(name: str, stem: str, mime: str) -> str:
    """Make a file name that is one: no path, an ending, not too long."""
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


def _kind(told: dict[type, Any]) -> DocumentKind:
    audio = told.get(types.DocumentAttributeAudio)
    video = told.get(types.DocumentAttributeVideo)
    if types.DocumentAttributeSticker in told or types.DocumentAttributeCustomEmoji in told:
        return DocumentKind.STICKER
    if types.DocumentAttributeAnimated in told:
        return DocumentKind.GIF
    if video is not None:
        return DocumentKind.VIDEO_NOTE if video.round_message else DocumentKind.VIDEO
    if audio is not None:
        return DocumentKind.VOICE if audio.voice else DocumentKind.AUDIO
    return DocumentKind.FILE
