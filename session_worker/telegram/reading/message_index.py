"""In which chat each message is: a deletion names messages, not their chats."""

from __future__ import annotations

import asyncio
import logging
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

RECORD = struct.Struct("<iq")
MOST_KEPT = 50_000  # messages, the older half goes when there are more
_ID = struct.Struct("<i")

log = logging.getLogger(__name__)


class IndexedMessage(NamedTuple):
    """The chat of a message, with who wrote it."""

    peer_id: int
    is_out: bool


class MessageIndex:
    """Keeps chats by message id in a file of the number's own, as it must outlive the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh: list[bytes] = []
        self._lock = asyncio.Lock()
        self._is_stuck = False
        self.newest = 0

    async def open(self) -> None:
        """Learn how far the messages were known before."""
        records = await asyncio.to_thread(_read, self._path)
        self.newest = max((each[0] for each in RECORD.iter_unpack(records)), default=0)

    def add(self, message_id: int, peer_id: int, *, is_out: bool) -> None:
        self._fresh.append(RECORD.pack(message_id, -peer_id if is_out else peer_id))
        self.newest = max(self.newest, message_id)

    async def save(self) -> None:
        """Write down what was noted since the last time."""
        async with self._lock:
            fresh, self._fresh = self._fresh, []
            if not fresh:
                return
            try:
                await asyncio.to_thread(_append, self._path, b"".join(fresh))
            except OSError as error:
                # The disk may be full, which passes; a worker that dies of it would not help.
                self._tell(error)
                self._fresh = (fresh + self._fresh)[-MOST_KEPT:]
            else:
                self._is_stuck = False

    async def find(self, message_id: int) -> IndexedMessage | None:
        await self.save()
        records = await asyncio.to_thread(_read, self._path) + b"".join(self._fresh)
        place = records.find(needle := _ID.pack(message_id))
        while place >= 0 and place % RECORD.size:
            place = records.find(needle, place + 1)
        if place < 0:
            return None
        _, marked = RECORD.unpack_from(records, place)
        return IndexedMessage(abs(marked), marked < 0)

    def _tell(self, error: OSError) -> None:
        if not self._is_stuck:
            log.warning("the index of messages can't be written: %s", error)
        self._is_stuck = True


def _read(path: Path) -> bytes:
    try:
        records = path.read_bytes()
    except FileNotFoundError:
        return b""
    return records[: len(records) // RECORD.size * RECORD.size]


def _append(path: Path, fresh: bytes) -> None:
    records = _read(path)
    if len(records) < MOST_KEPT * RECORD.size:
        with path.open("ab") as file:
            # A crash may have left half a record.
            file.truncate(len(records))
            file.write(fresh)
        return
    shorter = path.with_suffix(".new")
    shorter.write_bytes(records[len(records) // RECORD.size // 2 * RECORD.size :] + fresh)
    shorter.replace(path)
