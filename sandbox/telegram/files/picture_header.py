"""What the header of a picture tells, for the formats Telegram takes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_SIZE = 256 << 10  # bytes; before the size, a JPEG may carry much about its camera
_JPEG_STANDALONE = {0x01, *range(0xD0, 0xD8)}
_JPEG_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """Format with size in pixels."""

    mime_type: str
    width: int
    height: int


def measure(head: bytes) -> Picture | None:
    """Read the header of a picture; None when it is no picture, or a broken one."""
    for magic, (mime_type, size_of) in _FORMATS.items():
        if head.startswith(magic):
            try:
                return Picture(mime_type, *size_of(head))
            except (struct.error, IndexError, _Broken):
                return None
    return None


class _Broken(Exception):
    """The header ends before it tells the size."""


def _png_size(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", head, 16)
    return width, height


def _gif_size(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def _jpeg_size(head: bytes) -> tuple[int, int]:
    """Walk from marker to marker until the one that begins a frame."""
    place = 2
    while True:
        if head[place] != 0xFF:
            raise _Broken
        marker = head[place + 1]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return width, height
        if marker in _JPEG_STANDALONE:
            place += 2
        elif marker == 0xFF:
            place += 1
        else:
            place += 2 + struct.unpack_from(">H", head, place + 2)[0]


def _webp_size(head: bytes) -> tuple[int, int]:
    """Read each of the three ways in which a WebP tells its size."""
    match head[8:16]:
        case b"WEBPVP8 ":
            width, height = struct.unpack_from("<HH", head, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"WEBPVP8L":
            (bits,) = struct.unpack_from("<I", head, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"WEBPVP8X":
            width, more_width, height, more_height = struct.unpack_from("<HBHB", head, 24)
            return (width | more_width << 16) + 1, (height | more_height << 16) + 1
        case _:
            raise _Broken


_FORMATS: dict[bytes, tuple[str, Callable[[bytes], tuple[int, int]]]] = {
    b"\x89PNG\r\n\x1a\n": ("image/png", _png_size),
    b"\xff\xd8\xff": ("image/jpeg", _jpeg_size),
    b"GIF87a": ("image/gif", _gif_size),
    b"GIF89a": ("image/gif", _gif_size),
    b"RIFF": ("image/webp", _webp_size),
}
