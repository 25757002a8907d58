"""The bytes of one file, readable piece by piece."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import dataclass
from typing import IO, Protocol


class Readable(Protocol):
    """Bytes that never change."""

    @property
    def size(self) -> int: ...

    def read(self, offset: int, limit: int) -> bytes: ...


class Disk:
    """A nameless file that holds the bytes of all others, gone with the process even if killed."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0

    async def open(self) -> None:
        self._file = await asyncio.to_thread(tempfile.TemporaryFile, buffering=0)

    async def close(self) -> None:
        file, self._file = self._file, None
        if file:
            await asyncio.to_thread(file.close)

    def clear(self) -> None:
        if self._file:
            os.ftruncate(self._file.fileno(), 0)
        self._end = 0

    def append(self, data: bytes) -> int:
        """Write at the end; return where that is."""
        start = self.reserve(len(data))
        self.write(start, data)
        return start

    def reserve(self, size: int) -> int:
        start, self._end = self._end, self._end + size
        return start

    def write(self, offset: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            rest, offset = rest[written:], offset + written

    def read(self, offset: int, limit: int) -> bytes:
        return os.pread(self._descriptor, limit, offset)

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise RuntimeError("bytes are kept between open() and close() only")
        return self._file.fileno()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file on disk in parts of one size, the last one maybe shorter."""

    disk: Disk
    places: tuple[int, ...]
    part_size: int
    size: int

    def read(self, offset: int, limit: int) -> bytes:
        pieces = []
        while limit > 0 and offset < self.size:
            number, inside = divmod(offset, self.part_size)
            length = min(limit, self.part_size - inside, self.size - offset)
            pieces.append(self.disk.read(self.places[number] + inside, length))
            offset, limit = offset + length, limit - length
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class InlineFile:
    """A few bytes in memory."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, offset: int, limit: int) -> bytes:
        return self.content[offset : offset + limit]
