"""A file on its way in, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from typing import TYPE_CHECKING

from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.stored_file import StoredFile

if TYPE_CHECKING:
    from sandbox.telegram.files.stored_file import Disk

MAX_PARTS = 4000
MAX_PART_SIZE = 512 << 10
MAX_HASHED_SIZE = 10 << 20  # clients send bigger files without a checksum
_PART_SIZE_UNIT = 1 << 10
_UNKNOWN_TOTAL = -1


@dataclass(frozen=True, slots=True)
class _Part:
    """Where on disk a part lies."""

    place: int
    length: int


class Upload:
    """The parts of one file, each written to disk as soon as it comes."""

    def __init__(self, disk: Disk) -> None:
        self.stored: StoredFile | None = None
        self._disk = disk
        # The size of every part but the last.
        self._part_size = 0
        self._parts: dict[int, _Part] = {}
        self._highest = -1
        self._md5 = md5(usedforsecurity=False)
        self._hashed = 0

    def save(self, number: int, data: bytes, total: int | None = None) -> None:
        """Write one part; raise RpcError when it can't be a part of this file."""
        _check_part(number, len(data), total)
        self._check_sizes(number, len(data), total)
        self._parts[number] = _Part(self._disk.append(data), len(data))
        self._part_size = max(self._part_size, len(data))
        self._highest = max(self._highest, number)
        self._follow(number, data)

    def finish(self, parts: int, checksum: str = "") -> StoredFile:
        """Close the file; raise RpcError unless all its parts are there."""
        if not 1 <= parts <= MAX_PARTS or self._highest >= parts:
            raise RpcError("FILE_PARTS_INVALID")
        missing = next((n for n in range(parts) if n not in self._parts), None)
        if missing is not None:
            raise RpcError(f"FILE_PART_{missing}_MISSING")
        places = tuple(self._parts[number].place for number in range(parts))
        size = (parts - 1) * self._part_size + self._parts[parts - 1].length
        file = StoredFile(self._disk, places, self._part_size, size)
        if checksum and size <= MAX_HASHED_SIZE and checksum.lower() != self._digest(file):
            raise RpcError("MD5_CHECKSUM_INVALID")
        self.stored = file
        return file

    def _check_sizes(self, number: int, length: int, total: int | None) -> None:
        """Refuse a part unless all parts but the last are of one size that may be."""
        size = max(self._part_size, length)
        last = max(self._highest, number, (total or 0) - 1)
        ends = {n: self._parts[n].length for n in (self._highest,) if n >= 0} | {number: length}
        inner = [part for place, part in ends.items() if place < last]
        if len(self._parts) > 1:
            inner.append(self._part_size)
        if any(part != size for part in inner):
            raise RpcError("FILE_PART_SIZE_CHANGED")
        if inner and (size % _PART_SIZE_UNIT or MAX_PART_SIZE % size):
            raise RpcError("FILE_PART_SIZE_INVALID")

    def _follow(self, number: int, data: bytes) -> None:
        """Hash parts as they come in order, so that little is left for the end."""
        if number < self._hashed:
            self._md5, self._hashed = md5(usedforsecurity=False), 0
        if number == self._hashed and number * self._part_size < MAX_HASHED_SIZE:
            self._md5.update(data)
            self._hashed += 1

    def _digest(self, file: StoredFile) -> str:
        while self._hashed < len(self._parts):
            self._md5.update(file.read(self._hashed * self._part_size, self._part_size))
            self._hashed += 1
        return self._md5.hexdigest()


def _check_part(number: int, length: int, total: int | None) -> None:
    if total is not None and total != _UNKNOWN_TOTAL and not 1 <= total <= MAX_PARTS:
        raise RpcError("FILE_PARTS_INVALID")
    limit = MAX_PARTS if total in (None, _UNKNOWN_TOTAL) else total
    if not 0 <= number < limit:
        raise RpcError("FILE_PART_INVALID")
    if not length:
        raise RpcError("FILE_PART_EMPTY")
    if length > MAX_PART_SIZE:
        raise RpcError("FILE_PART_TOO_BIG")
