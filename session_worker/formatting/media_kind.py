"""The kind of a file, judged by its name."""

from __future__ import annotations

from enum import StrEnum
from mimetypes import MimeTypes
from pathlib import PurePath

_TYPES = MimeTypes()  # an instance of our own, because it reads the system's files
_OURS = {
    "image/jpeg": ".jpg .jpeg .jpe .jfif",
    "image/png": ".png",
    "video/mp4": ".mp4 .m4v",
    "video/quicktime": ".mov",
    "audio/ogg": ".ogg .oga .opus",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/flac": ".flac",
    "audio/x-wav": ".wav",
}
_BY_SUFFIX = {suffix: mime for mime, suffixes in _OURS.items() for suffix in suffixes.split()}
UNKNOWN_TYPE = "application/octet-stream"


class MediaKind(StrEnum):
    """The ways in which Telegram shows a file."""

    PHOTO = "photo"
    VIDEO = "video"
    VOICE = "voice"
    AUDIO = "audio"
    DOCUMENT = "document"


_KINDS = {
    "image/jpeg": MediaKind.PHOTO,
    "image/png": MediaKind.PHOTO,
    "video/mp4": MediaKind.VIDEO,
    "video/quicktime": MediaKind.VIDEO,
    "audio/ogg": MediaKind.VOICE,
    "audio/mpeg": MediaKind.AUDIO,
    "audio/mp4": MediaKind.AUDIO,
    "audio/flac": MediaKind.AUDIO,
}


def mime_of(name: str) -> str:
    guess = _BY_SUFFIX.get(PurePath(name).suffix.lower())
    if guess is None:
        guess, encoding = _TYPES.guess_type(name, strict=False)
        guess = None if encoding else guess
    return guess or UNKNOWN_TYPE


def kind_of(name: str) -> MediaKind:
    """Judge by the name; whether the content agrees can only be checked once the file is there."""
    return _KINDS.get(mime_of(name), MediaKind.DOCUMENT)


def can_join_album(name: str) -> bool:
    return kind_of(name) in {MediaKind.PHOTO, MediaKind.VIDEO}
