"""The files that came with calls, until the workers of the bots have sent them."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO, TYPE_CHECKING

from session_worker.failures import is_of_storage
from session_worker.protocol.outgoing import UPLOADED
from supervisor.errors import StorageFull

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.nodes.files import SharedFiles

    Share = Callable[[str], Awaitable[None]]

LIFETIME = 7 * 24 * 3600.0  # seconds; a message is sent or given up before that
MOST_KEPT = 2 << 30  # bytes of one bot
PIECE = 256 << 10  # bytes that are collected before they are written to the disk


class Upload:
    """A file that arrives piece by piece, and is never in memory as a whole."""

    def __init__(self, path: Path, file: IO[bytes], share: Share) -> None:
        self._path = path
        self._file = file
        self._share = share
        self._waiting = bytearray()
        self.size = 0
        self.is_kept = False

    async def write(self, content: bytes) -> None:
        self.size += len(content)
        self._waiting += content
        if len(self._waiting) >= PIECE:
            await self._flush()

    async def finish(self) -> str:
        """Keep the file; return the address by which the worker finds it."""
        await self._flush()
        await asyncio.to_thread(self._close)
        await self._share(self._path.name)
        self.is_kept = True
        return f"{UPLOADED}{self._path.name}"

    async def discard(self) -> None:
        await asyncio.to_thread(self._file.close)
        await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _flush(self) -> None:
        content, self._waiting = self._waiting, bytearray()
        with _room_needed():
            await asyncio.to_thread(self._file.write, content)

    def _close(self) -> None:
        self._file.close()
        self._path.chmod(0o644)  # the worker has a user of its own


class Uploads:
    """The uploads of all bots."""

    def __init__(self, config: Config, files: SharedFiles) -> None:
        self._config = config
        self._files = files

    async def open(self, bot: str) -> Upload:
        """Begin a file; raise StorageFull if the bot has too many bytes of files that are not sent yet."""
        folder = self._config.spool_of(bot) / "uploads"
        path = folder / secrets.token_hex(16)
        with _room_needed():
            file = await asyncio.to_thread(_open, path)
        return Upload(path, file, partial(self._files.keep_upload, bot))


@contextmanager
def _room_needed() -> Iterator[None]:
    """Raise StorageFull if the disk is full."""
    try:
        yield
    except OSError as exc:
        if not is_of_storage(exc):
            raise
        raise StorageFull from exc


def _open(path: Path) -> IO[bytes]:
    """Open a new file, and delete those that are too old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    too_old, kept = time.time() - LIFETIME, 0
    for each in path.parent.iterdir():
        with suppress(FileNotFoundError):  # another call, or the worker, has just deleted it
            found = each.stat()
            if found.st_mtime < too_old:
                each.unlink()
            else:
                kept += found.st_size
    if kept > MOST_KEPT:
        raise StorageFull
    return path.open("wb")
