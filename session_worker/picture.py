"""The size of a picture, read from its first bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEAD = 256 << 10  # bytes; a JPEG may carry much about its camera before it tells its size
MOST_BYTES = 10 << 20
MOST_EDGES = 10_000  # pixels, width plus height
MOST_RATIO = 20
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_STANDALONE = {0x01, 0xFF, *range(0xD0, 0xD8)}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """Edges in pixels."""

    width: int
    height: int


def measure(head: bytes) -> Picture | None:
    """Read a PNG's or JPEG's header; None when it is neither, or broken."""
    try:
        if head.startswith(_PNG):
            return Picture(*struct.unpack_from(">II", head, 16))
        return _measure_jpeg(head) if head.startswith(_JPEG) else None
    except (struct.error, IndexError):
        return None


def can_be_photo(picture: Picture | None, size: int) -> bool:
    """Whether Telegram takes it as a photo rather than as a file."""
    if picture is None or size > MOST_BYTES:
        return False
    short, long = sorted((picture.width, picture.height))
    return short > 0 and short + long <= MOST_EDGES and long <= short * MOST_RATIO


def _measure_jpeg(head: bytes) -> Picture | None:
    """Walk from marker to marker until the one that begins a frame."""
    place = 2
    while head[place] == 0xFF:
        marker = head[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return Picture(width, height)
        if marker in _STANDALONE:
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + struct.unpack_from(">H", head, place + 2)[0]
    return None
