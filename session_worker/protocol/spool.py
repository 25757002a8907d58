"""Where the files of a number are kept in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def incoming_file(spool: Path, row: int, index: int) -> Path:
    """Return the path of a file that came with a message."""
    return spool / "in" / str(row) / str(index)


def photo_file(spool: Path, photo_id: int) -> Path:
    """Return the path of a contact's profile photo."""
    return spool / "photos" / str(photo_id)
