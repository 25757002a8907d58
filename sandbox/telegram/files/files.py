"""Everything that was uploaded, kept while the data centre runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.stored_file import Disk, StoredFile
from sandbox.telegram.files.upload import MAX_PARTS, Upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.files.media import Document, Photo
    from sandbox.telegram.files.stored_file import Readable

ABANDONED_AFTER = 3600.0  # seconds
_PIECE = 1 << 20
_FIRST_ID = 5_000_000_001


@dataclass(slots=True)
class _Begun:
    """An upload with the moment of its newest part."""

    upload: Upload
    touched: float


class Files:
    """Uploads under way, files that became photos or documents."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._disk = Disk()
        self._ids = count(_FIRST_ID)
        self._begun: dict[tuple[int, int], _Begun] = {}
        self._digests: dict[Readable, str] = {}
        # Photos and documents by the id that clients name them by.
        self.items: dict[int, Photo | Document] = {}

    async def open(self) -> None:
        await self._disk.open()

    async def close(self) -> None:
        await self._disk.close()

    def forget(self) -> None:
        """Let nobody find anything any more."""
        self._disk.clear()
        self._begun.clear()
        self._digests.clear()
        self.items.clear()

    def next_id(self) -> int:
        return next(self._ids)

    def save_part(
        self, owner_id: int, file_id: int, number: int, data: bytes, total: int | None = None
    ) -> None:
        """Take one part of a file whose id its uploader made up."""
        begun = self._begun.get((owner_id, file_id))
        if begun is None or begun.upload.stored:
            self._drop_abandoned()
            begun = _Begun(Upload(self._disk), self._time())
            self._begun[owner_id, file_id] = begun
        begun.upload.save(number, data, total)
        begun.touched = self._time()

    def take(self, owner_id: int, named: Any) -> StoredFile:
        """Return the whole file that an InputFile or InputFileBig names."""
        if not isinstance(named, types.InputFile | types.InputFileBig):
            raise RpcError("MEDIA_INVALID")
        if not 1 <= named.parts <= MAX_PARTS:
            raise RpcError("FILE_PARTS_INVALID")
        begun = self._begun.get((owner_id, named.id))
        if begun is None:
            raise RpcError("FILE_PART_0_MISSING")
        return begun.upload.finish(named.parts, getattr(named, "md5_checksum", ""))

    async def keep(self, content: bytes) -> StoredFile:
        """Write a whole file."""
        place = self._disk.reserve(len(content))
        await asyncio.to_thread(self._disk.write, place, content)
        return StoredFile(self._disk, (place,), len(content), len(content))

    async def digest(self, file: Readable) -> str:
        """Return the SHA-256 of a file."""
        if file not in self._digests:
            self._digests[file] = await asyncio.to_thread(_sha256, file)
        return self._digests[file]

    def _drop_abandoned(self) -> None:
        oldest = self._time() - ABANDONED_AFTER
        for key in [key for key, begun in self._begun.items() if begun.touched < oldest]:
            del self._begun[key]


def _sha256(file: Readable) -> str:
    digest = sha256()
    for offset in range(0, file.size, _PIECE):
        digest.update(file.read(offset, _PIECE))
    return digest.hexdigest()
