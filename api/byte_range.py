"""Which part of a file a caller wants."""

from __future__ import annotations

from werkzeug.http import parse_range_header

_LONGEST = 60  # characters; two sizes of files that nobody has


class RangeBeyondEnd(Exception):
    """The file ends before the part that is wanted."""


def find_part(header: str | None, size: int) -> tuple[int, int] | None:
    """Return first byte and end of the part; None means all: nothing else is asked for that we serve."""
    wanted = parse_range_header(header) if header and len(header) <= _LONGEST else None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1 or not size:
        return None
    first, end = wanted.ranges[0]
    if first < 0:
        return max(0, size + first), size
    if first >= size:
        raise RangeBeyondEnd
    return first, min(end or size, size)
