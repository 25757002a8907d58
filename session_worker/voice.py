"""How long a voice message is, read from its last page."""

from __future__ import annotations

import os
from typing import IO

_PAGE = b"OggS"
_CODEC = b"OpusHead"
_RATE = 48_000  # Opus counts in these, whatever was recorded
TAIL = 64 << 10


def measure(file: IO[bytes]) -> float | None:
    """Tell the seconds of an Opus recording; None when the file is none, so can't be a voice."""
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
