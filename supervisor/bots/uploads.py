"""The files that came with calls, until the workers of the bots have sent them."""

from __future__ import annotations

import asyncio
import os
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
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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
        with _room_needed():
            await asyncio.to_thread(self._close)
        await self._share(self._path.name)
        self.is_kept = True
        return f"{UPLOADED}{self._path.name}"

    async def discard(self) -> None:
        with suppress(OSError):  # there is still no room for what is left in its buffer
            await asyncio.to_thread(self._file.close)
        await asyncio.to_thread(self._path.unlink, missing_ok=True)

    async def _flush(self) -> None:
        content, self._waiting = self._waiting, bytearray()
        with _room_needed():
            await asyncio.to_thread(self._file.write, content)

    def _close(self) -> None:
        os.fchmod(self._file.fileno(), 0o644)  # the worker has a user of its own
        self._file.close()


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
    """Open a new file, and delete those that are too old.

    No link is followed, because a hostile worker may put what it likes into the folder above.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _tidy(folder) > MOST_KEPT:
            raise StorageFull
        return os.fdopen(os.open(path.name, _NEW, 0o600, dir_fd=folder), "wb")
    finally:
        os.close(folder)


def _tidy(folder: int) -> int:
    """Delete what is too old, and return how many bytes are left."""
    too_old, kept = time.time() - LIFETIME, 0
    for name in os.listdir(folder):
        with suppress(OSError):  # another call, or the worker, has just deleted it
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if found.st_mtime < too_old:
                os.unlink(name, dir_fd=folder)
            else:
                kept += found.st_size
    return kept
