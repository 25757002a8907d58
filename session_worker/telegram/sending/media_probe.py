"""The size and duration of videos, pictures and voice messages."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_INDEX = 8 << 20  # bytes of the index that are looked at
_CONTAINERS = frozenset({b"trak"})


@dataclass(frozen=True, slots=True)
class Film:
    """What players want to know beforehand; zeros where nothing is known."""

    seconds: float = 0.0
    width: int = 0
    height: int = 0


def measure(file: IO[bytes]) -> Film | None:
    """Look for the index of an MP4; None when the file is not one."""
    index = _find_index(file)
    if index is None:
        return None
    try:
        return _read_index(index)
    except struct.error:
        return Film()


def _find_index(file: IO[bytes]) -> bytes | None:
    """Go from box to box at the top; the index may come after the pictures."""
    place, is_film = 0, False
    while True:
        file.seek(place)
        header = file.read(16)
        if len(header) < 8:
            return b"" if is_film else None
        size, kind = struct.unpack_from(">I4s", header)
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
        if place == 0 and kind != b"ftyp":
            return None
        is_film = True
        if kind == b"moov":
            file.seek(place + 8)
            return file.read(min(size, MOST_INDEX) - 8)
        if size < 8:
            return b""
        place += size


def _read_index(index: bytes) -> Film:
    seconds, width, height = 0.0, 0, 0
    for kind, body in _boxes(index):
        if kind == b"mvhd":
            seconds = _seconds(body)
        elif kind == b"tkhd" and not width:
            # Sixteen bits of each are behind the point; sound has no size.
            wide, high = struct.unpack(">II", body[-8:])
            width, height = wide >> 16, high >> 16
    return Film(seconds, width, height)


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        body = content[place + 8 : place + max(size, 8)]
        if kind in _CONTAINERS:
            yield from _boxes(body)
        else:
            yield kind, body
        place += max(size, 8)


def _seconds(body: bytes) -> float:
    if body[:1] == b"\1":
        scale, duration = struct.unpack_from(">IQ", body, 20)
    else:
        scale, duration = struct.unpack_from(">II", body, 12)
    return duration / scale if scale else 0.0
