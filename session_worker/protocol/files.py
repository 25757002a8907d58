"""Where the files of messages lie in a number's folder.

The names say from which message the files are, and not only from which row: after a backup of the
database was restored, another message may get a row whose files are still there.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from session_worker.protocol.messages import Incoming
    from session_worker.protocol.outgoing import Outgoing

_ROW = re.compile(r"([0-9]{1,18})(?:-[0-9a-f]+)?")


def incoming_folder(spool: Path, row: int) -> Path:
    """Return the folder of the files that came with a message."""
    return spool / "in" / str(row)


def incoming_file(spool: Path, row: int, incoming: Incoming, index: int) -> Path:
    """Return the path of a file that came with a message."""
    return incoming_folder(spool, row) / f"{index}-{mark_of(incoming, index)}"


def unmarked_file(spool: Path, row: int, index: int) -> Path:
    """Return the path at which version 0.1.0 put a file that came with a message."""
    return incoming_folder(spool, row) / str(index)


def mark_of(incoming: Incoming, index: int) -> str:
    """Return what distinguishes a file from those of all other messages of the number."""
    return f"{incoming.files[index].message_id}-{incoming.edit_date or incoming.date}"


def outgoing_folder(spool: Path, row: int, outgoing: Outgoing) -> Path:
    """Return the folder for the files that are sent with a message."""
    random_ids = repr([part.random_ids for part in outgoing.parts])
    return spool / "out" / f"{row}-{blake2b(random_ids.encode(), digest_size=8).hexdigest()}"


def row_of(folder: Path) -> int:
    """Return the row whose files are in a folder; 0 if a worker has put something else there."""
    found = _ROW.fullmatch(folder.name)
    return int(found[1]) if found else 0


def photo_file(spool: Path, photo_id: int) -> Path:
    """Return the path of a contact's profile photo."""
    return spool / "photos" / str(photo_id)
