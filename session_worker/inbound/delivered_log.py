"""A crash-proof record of the messages that Planfix has accepted."""

from __future__ import annotations

import asyncio
import logging
import mmap
import struct
from hashlib import blake2b
from typing import TYPE_CHECKING

from session_worker.protocol.messages import IncomingKind

if TYPE_CHECKING:
    from pathlib import Path

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
        self._earlier: frozenset[bytes] | None = None
        self._lock = asyncio.Lock()

    async def contains(self, incoming: Incoming) -> bool:
        """Whether an earlier process has delivered this message."""
        async with self._lock:
            if self._earlier is None:
                self._earlier = await asyncio.to_thread(self._open)
        return bool(self._earlier) and digest_of(incoming) in self._earlier

    def add(self, incoming: Incoming) -> None:
        if self._ring is not None:
            self._count += 1
            offset = self._count % PLACES * RECORD.size
            RECORD.pack_into(self._ring, offset, self._count, digest_of(incoming))

    def _open(self) -> frozenset[bytes]:
        """Open the ring and return what earlier processes have recorded."""
        try:
            with self._path.open("a+b") as file:
                # Written and not left as a hole: if the disk were full, filling it later would kill
                # us.
                file.write(bytes(max(0, SIZE - file.tell())))
                file.flush()
                self._ring = mmap.mmap(file.fileno(), SIZE)
        except OSError as error:
            logger.warning("deliveries are not recorded: %s", error)
            return frozenset()
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
        # A reaction may be put and taken back within a second.
        *((incoming.text,) if incoming.what is IncomingKind.REACTION else ()),
    )
    return blake2b(repr(named).encode(), digest_size=DIGEST).digest()
