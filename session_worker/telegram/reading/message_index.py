"""An index on disk of the chat of each message, because deletions name messages but not chats."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

RECORD = struct.Struct("<iq")
MOST_KEPT = 50_000  # messages; if there are more, the older half is removed
_ID = struct.Struct("<i")


class IndexedMessage(NamedTuple):
    """The chat of a message and who wrote it."""

    peer_id: int
    is_out: bool


class MessageIndex:
    """Stores the chat of each message id in a file, because it must outlive the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh: list[bytes] = []
        self._lock = asyncio.Lock()
        self.newest = 0

    async def open(self) -> None:
        """Read the highest known message id."""
        records = await asyncio.to_thread(_read, self._path)
        self.newest = max((each[0] for each in RECORD.iter_unpack(records)), default=0)

    def add(self, message_id: int, peer_id: int, *, is_out: bool) -> None:
        self._fresh.append(RECORD.pack(message_id, -peer_id if is_out else peer_id))
        self.newest = max(self.newest, message_id)

    async def save(self) -> None:
        """Write what was added since the last time."""
        async with self._lock:
            fresh, self._fresh = self._fresh, []
            if fresh:
                await asyncio.to_thread(_append, self._path, b"".join(fresh))

    async def find(self, message_id: int) -> IndexedMessage | None:
        await self.save()
        records = await asyncio.to_thread(_read, self._path)
        place = records.find(needle := _ID.pack(message_id))
        while place >= 0 and place % RECORD.size:
            place = records.find(needle, place + 1)
        if place < 0:
            return None
        _, marked = RECORD.unpack_from(records, place)
        return IndexedMessage(abs(marked), marked < 0)


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
            # A crash may have left an incomplete record.
            file.truncate(len(records))
            file.write(fresh)
        return
    shorter = path.with_suffix(".new")
    shorter.write_bytes(records[len(records) // RECORD.size // 2 * RECORD.size :] + fresh)
    shorter.replace(path)
