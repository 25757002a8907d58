"""What a number has delivered to Planfix, noted in its folder so that it outlives the worker."""

from __future__ import annotations

import asyncio
import json
import logging
import mmap
import struct
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from session_worker.protocol.messages import IncomingKind

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from session_worker.protocol.chats import ChatSelection
    from session_worker.protocol.messages import Incoming


DELIVERED_LOG = "proofs"
"""The name of its file in the folder of a worker."""
# At least as many as the supervisor hands over before it has stored their outcomes.
PLACES = 1024
DIGEST = 16  # bytes
RECORD = struct.Struct(f"<Q{DIGEST}s")
SIZE = PLACES * RECORD.size

logger = logging.getLogger(__name__)


class DeliveredLog:
    """Keeps the latest records in a ring of mapped memory, because adding one must take no time.

    Either process may be killed between Planfix's answer and the supervisor's commit. A message is
    identified by what it is in Telegram and not by its row, because a database restored from a
    backup has other rows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ring: mmap.mmap | None = None
        self._count = 0
        self._is_failing = False
        self._earlier: frozenset[bytes] | None = None
        self._lock = asyncio.Lock()

    async def contains(self, incoming: Incoming) -> bool:
        """Whether an earlier process has delivered this message."""
        async with self._lock:
            if self._earlier is None:
                self._earlier = await asyncio.to_thread(self._open)
        return digest_of(incoming) in (self._earlier or ())

    def add(self, incoming: Incoming) -> None:
        if self._ring is not None:
            self._count += 1
            offset = self._count % PLACES * RECORD.size
            RECORD.pack_into(self._ring, offset, self._count, digest_of(incoming))

    def _open(self) -> frozenset[bytes] | None:
        """Open the ring and return what earlier processes have recorded, or None if that fails for now."""
        try:
            with self._path.open("a+b") as file:
                # The zeros are written now: if the disk were full, filling a hole in the mapped
                # file later would kill the process.
                file.write(bytes(max(0, SIZE - file.tell())))
                file.flush()
                self._ring = mmap.mmap(file.fileno(), SIZE)
        except OSError as error:
            if not self._is_failing:
                logger.warning("deliveries are not recorded: %s", error)
            self._is_failing = True
            return None
        records = _records_of(self._ring[:])
        self._count = max((count for count, _ in records), default=0)
        return frozenset(digest for _, digest in records)


def digests_in(content: bytes) -> frozenset[bytes]:
    """Return the digests of the messages that the content of a log names."""
    whole = len(content) // RECORD.size * RECORD.size
    return frozenset(digest for _, digest in _records_of(content[:whole]))


def _records_of(content: bytes) -> list[tuple[int, bytes]]:
    return [(count, digest) for count, digest in RECORD.iter_unpack(content) if count]


def digest_of(incoming: Incoming) -> bytes:
    """Return what identifies a message in the log."""
    named = (
        *(incoming.peer_id, incoming.what, incoming.date, incoming.edit_date),
        *incoming.message_ids,
        # A message may be edited twice within a second, and a reaction put and taken back.
        *((incoming.text,) if incoming.what in {IncomingKind.EDIT, IncomingKind.REACTION} else ()),
    )
    return blake2b(repr(named).encode(), digest_size=DIGEST).digest()


@dataclass(slots=True)
class HistoryProgress:
    """The chats that are delivered completely, and the last delivered message of the others."""

    since: str = ""
    selection: str = ""
    began: int = 0
    is_over: bool = False
    done: list[int] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)

    def begun_with(self, since: date, selection: ChatSelection, now: int) -> HistoryProgress:
        """Return the progress of this order, which continues an earlier one that began as early.

        A selection that has changed may have new chats, so all chats are looked at again.
        """
        digest = blake2b(selection.model_dump_json().encode(), digest_size=8).hexdigest()
        if not self.since or since.isoformat() < self.since:
            return HistoryProgress(since=since.isoformat(), selection=digest, began=now)
        self.is_over = self.is_over and self.selection == digest
        self.selection = digest
        return self


def load_progress(path: Path) -> HistoryProgress:
    try:
        known: Any = json.loads(path.read_text())
        return HistoryProgress(**known)
    except FileNotFoundError:
        return HistoryProgress()
    except (OSError, ValueError, TypeError) as error:
        # What was delivered is known to the journal, so beginning again repeats nothing.
        logger.warning("the progress of the history cannot be read: %s", error)
        return HistoryProgress()


def save_progress(path: Path, progress: HistoryProgress) -> None:
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(asdict(progress)))
        fresh.replace(path)
    except OSError as error:
        logger.warning("the progress of the history cannot be written: %s", error)
