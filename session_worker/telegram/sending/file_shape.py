"""Decides how a file is sent (as a photo, video, voice message …) after a look at its content."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from telethon.tl import types

from session_worker.formatting.media_kind import MediaKind, kind_of, mime_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GIF = "image/gif"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a file turned out to be; attributes are TL objects."""

    kind: MediaKind
    mime: str
    attributes: tuple[Any, ...] = ()

    @property
    def joins_albums(self) -> bool:
        return self.kind in {MediaKind.PHOTO, MediaKind.VIDEO}

    def media(self, uploaded: Any) -> Any:
        """Make the object that a request contains for the uploaded file."""
        if self.kind is MediaKind.PHOTO:
            return types.InputMediaUploadedPhoto(uploaded)
        # Telegram turns a GIF into an animation unless it is forced to remain a file.
        is_file = self.kind is MediaKind.DOCUMENT and self.mime != GIF
        return types.InputMediaUploadedDocument(
            uploaded, self.mime, list(self.attributes), force_file=is_file or None
        )


def shape_of(path: Path, name: str, *, as_document: bool = False) -> Shape:
    """Look into a file; one that does not match its name is sent as a document."""
    named = types.DocumentAttributeFilename(name)
    mime = mime_of(name)
    document = Shape(MediaKind.DOCUMENT, mime, (named,))
    if as_document:
        return document
    match kind_of(name):
        case MediaKind.PHOTO:
            return Shape(MediaKind.PHOTO, mime) if _is_photo(path) else document
        case MediaKind.VIDEO:
            attribute = _video_attribute(path)
            return Shape(MediaKind.VIDEO, mime, (attribute, named)) if attribute else document
        case MediaKind.VOICE:
            return _sound(path, mime, named)
        case MediaKind.AUDIO:
            attribute = types.DocumentAttributeAudio(0)
            return Shape(MediaKind.AUDIO, mime, (attribute, named))
        case MediaKind.DOCUMENT:
            return document


def _is_photo(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(HEAD)
    return can_be_photo(measure_picture(head), path.stat().st_size)


def _video_attribute(path: Path) -> Any:
    with path.open("rb") as file:
        found = measure_video(file)
    if found is None:
        return None
    return types.DocumentAttributeVideo(
        found.seconds, found.width, found.height, supports_streaming=True
    )


def _sound(path: Path, mime: str, named: Any) -> Shape:
    with path.open("rb") as file:
        seconds = measure_voice(file)
    if seconds is None:
        return Shape(MediaKind.AUDIO, mime, (types.DocumentAttributeAudio(0), named))
    attribute = types.DocumentAttributeAudio(round(seconds), voice=True)
    return Shape(MediaKind.VOICE, mime, (attribute,))


MOST_INDEX = 8 << 20  # bytes of the index that are read
MOST_BOXES = 10_000  # that are looked at; a film in pieces has some for each second


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a player wants to know beforehand; zeros if unknown."""

    seconds: float = 0.0
    width: int = 0
    height: int = 0


def measure_video(file: IO[bytes]) -> VideoInfo | None:
    """Find the index of an MP4; returns None if the file is not one."""
    index = _find_index(file)
    if index is None:
        return None
    try:
        return _read_index(index)
    except struct.error:
        return VideoInfo()


def _find_index(file: IO[bytes]) -> bytes | None:
    """Go from box to box on the top level; the index may come after the pictures."""
    place, end, is_mp4 = 0, file.seek(0, os.SEEK_END), False
    for _ in range(MOST_BOXES):
        file.seek(place)
        header = file.read(16)
        if len(header) < 8:
            break
        size, kind = struct.unpack_from(">I4s", header)
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
        if size == 0:
            size = end - place  # the last box extends to the end of the file
        if place == 0 and kind != b"ftyp":
            return None
        is_mp4 = True
        if kind == b"moov":
            file.seek(place + 8)
            return file.read(max(0, min(size, MOST_INDEX) - 8))
        if size < 8 or size >= end - place:
            break
        place += size
    return b"" if is_mp4 else None


def _read_index(index: bytes) -> VideoInfo:
    seconds, width, height = 0.0, 0, 0
    tracks = [_boxes(body) for kind, body in _boxes(index) if kind == b"trak"]
    for kind, body in chain(_boxes(index), *tracks):
        if kind == b"mvhd":
            seconds = _seconds(body)
        elif kind == b"tkhd" and not width:
            # Both are fixed-point numbers with sixteen fractional bits; sound has no size.
            wide, high = struct.unpack(">II", body[-8:])
            width, height = wide >> 16, high >> 16
    return VideoInfo(seconds, width, height)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    for _ in range(MOST_BOXES):
        if place + 8 > len(content):
            return
        size, kind = struct.unpack_from(">I4s", content, place)
        yield kind, content[place + 8 : place + max(size, 8)]
        place += max(size, 8)


def _seconds(body: bytes) -> float:
    if body[:1] == b"\1":
        scale, duration = struct.unpack_from(">IQ", body, 20)
    else:
        scale, duration = struct.unpack_from(">II", body, 12)
    return duration / scale if scale else 0.0


HEAD = 256 << 10  # bytes; a JPEG may contain much about its camera before its size
MOST_BYTES = 10 << 20
MOST_EDGES = 10_000  # pixels, width plus height
MOST_RATIO = 20
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_STANDALONE = {0x01, 0xFF, *range(0xD0, 0xD8)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """The edges in pixels."""

    width: int
    height: int


def measure_picture(head: bytes) -> PictureInfo | None:
    """Read the header of a PNG or JPEG; returns None if it is neither or is broken."""
    try:
        if head.startswith(_PNG):
            return PictureInfo(*struct.unpack_from(">II", head, 16))
        return _measure_jpeg(head) if head.startswith(_JPEG) else None
    except (struct.error, IndexError):
        return None


def can_be_photo(picture: PictureInfo | None, size: int) -> bool:
    """Whether Telegram accepts it as a photo and not only as a file."""
    if picture is None or size > MOST_BYTES:
        return False
    short, long = sorted((picture.width, picture.height))
    return short > 0 and short + long <= MOST_EDGES and long <= short * MOST_RATIO


def _measure_jpeg(head: bytes) -> PictureInfo | None:
    """Go from marker to marker until the one that begins a frame."""
    place = 2
    while head[place] == 0xFF:
        marker = head[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return PictureInfo(width, height)
        if marker in _STANDALONE:
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + struct.unpack_from(">H", head, place + 2)[0]
    return None


_PAGE = b"OggS"
_CODEC = b"OpusHead"
_RATE = 48_000  # samples per second in which Opus counts, whatever was recorded
TAIL = 64 << 10


def measure_voice(file: IO[bytes]) -> float | None:
    """Return the seconds of an Opus recording; None for another file, which is no voice message."""
    file.seek(0)
    head = file.read(64)
    if not head.startswith(_PAGE) or _CODEC not in head:
        return None
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - TAIL))
    tail = file.read(TAIL)
    page = tail.rfind(_PAGE)
    if page < 0 or page + 14 > len(tail):
        return 0.0
    granules = int.from_bytes(tail[page + 6 : page + 14], "little", signed=True)
    return max(0.0, granules / _RATE)
