"""Files of delivered messages in the database or in a shared folder, so that every node can serve them."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from session_worker.protocol.outgoing import UPLOADED
from supervisor.database import tables
from supervisor.database.node_tables import stored_file
from supervisor.database.transactions import insert_missing
from supervisor.encryption.vault import Cell
from supervisor.errors import FileGone, FilesUnavailable
from supervisor.file_access import OutsideRoot, make_private_folder, open_inside

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy import Connection

    from session_worker.protocol.messages import Incoming
    from session_worker.protocol.outgoing import Outgoing
    from supervisor.config import Config
    from supervisor.database.database import Database
    from supervisor.encryption.vault import DataKey
    from supervisor.store.store import Store

PIECE = 1 << 20  # bytes
MOST_PIECES = 4096  # of one file; a hostile worker could leave an endless one
MOST_FILES = 100  # of one message
_PLACES = ("*/in/*/*/*", "*/uploads/*/*")  # of pieces in a shared folder
_NAME = re.compile(r"[0-9]+(?:-[0-9-]+)?")

logger = logging.getLogger(__name__)

_file = stored_file.c


class Pieces(Protocol):
    """Stores the sealed pieces of files; a piece may be written twice, with the same content."""

    async def write(self, number: str, path: str, piece: int, sealed: bytes) -> None: ...
    async def read(self, number: str, path: str, piece: int) -> bytes | None: ...


class PiecesInDatabase:
    """Each piece is a row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, number: str, path: str, piece: int, sealed: bytes) -> None:
        row = {"number": number, "path": path, "piece": piece, "content": sealed}

        def unit(connection: Connection) -> None:
            insert_missing(connection, stored_file, row | {"created": tables.now()})

        await self._database.write(unit)

    async def read(self, number: str, path: str, piece: int) -> bytes | None:
        query = select(_file.content).where(
            _file.number == number, _file.path == path, _file.piece == piece
        )
        rows = await self._database.fetch(query)
        return rows[0].content if rows else None


class PiecesInFolder:
    """Each piece is a file in a folder that all nodes share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_away = False

    async def write(self, number: str, path: str, piece: int, sealed: bytes) -> None:
        place = self._folder / number / path / str(piece)
        try:
            await asyncio.to_thread(self._write, place, sealed)
        except OSError as exc:  # it is full, or its server is away
            if not self._is_away:
                logger.error("the shared folder cannot be written: %s", exc)  # noqa: TRY400 - no bug of ours
            self._is_away = True
            raise FilesUnavailable(str(exc)) from exc
        if self._is_away:
            logger.warning("the shared folder is written again")
        self._is_away = False

    async def read(self, number: str, path: str, piece: int) -> bytes | None:
        place = self._folder / number / path / str(piece)
        try:
            return await asyncio.to_thread(place.read_bytes)
        except FileNotFoundError:
            return None

    async def erase(self, before: float) -> None:
        """Delete what was written before this moment, in seconds since 1970."""
        await asyncio.to_thread(self._erase, before)

    async def forget(self, number: str) -> None:
        """Delete everything of a number."""
        await asyncio.to_thread(shutil.rmtree, self._folder / number, ignore_errors=True)

    def _write(self, place: Path, sealed: bytes) -> None:
        make_private_folder(place.parent)
        draft = place.with_name(f".{place.name}.{os.urandom(8).hex()}")
        draft.touch(mode=0o600)
        draft.write_bytes(sealed)
        draft.replace(place)

    def _erase(self, before: float) -> None:
        for file in (each for place in _PLACES for each in self._folder.glob(place)):
            with suppress(OSError):  # another node erases files as well
                if file.stat().st_mtime < before:
                    file.unlink()
        for level in ("*/in/*/*", "*/in/*", "*/uploads/*"):
            for folder in self._folder.glob(level):
                with suppress(OSError):  # it is not empty
                    folder.rmdir()


class SharedFiles:
    """Takes the files of a message from the folder of its worker, and gives them to other nodes."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        folder = config.node.files if config.node is not None else None
        database = store.database
        self._pieces: Pieces = PiecesInFolder(folder) if folder else PiecesInDatabase(database)

    async def keep(self, number: str, row: int) -> None:
        """Store the files of a message before it counts as delivered; each of them once."""
        names = await asyncio.to_thread(self._names, number, row)
        if not names:
            return
        key = await self._key_of(number)
        for name in names:
            await self._keep_one(number, f"in/{row}/{name}", key)

    async def fetch(self, number: str, path: str) -> Path:
        """Copy a stored file to this node, and return its folder; raise FileGone if it is not stored."""
        folder = self._config.data_dir / "fetched" / number
        target = folder / path
        if await asyncio.to_thread(target.is_file):
            return folder
        await self._copy(number, path, target)
        return folder

    async def _copy(self, number: str, path: str, target: Path) -> None:
        key, piece = await self._key_of(number), 0
        draft = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
        try:
            while (sealed := await self._pieces.read(number, path, piece)) is not None:
                content = key.open(_cell(number, path, piece), sealed)
                await asyncio.to_thread(_append, draft, content)
                piece += 1
            if piece:
                await asyncio.to_thread(draft.replace, target)
                return
        except OSError as exc:  # the disk is full; the node of the number may have the file
            logger.warning("a file of another node cannot be copied: %s", exc)
            draft.unlink(missing_ok=True)
        raise FileGone

    async def keep_upload(self, number: str, name: str) -> None:
        """Store a file that came with a call, because another node may have to send it."""
        if self._config.node is not None:
            await self._keep_one(number, _upload(name), await self._key_of(number))

    async def bring_uploads(self, number: str, bodies: Iterable[Incoming | Outgoing]) -> None:
        """Copy the files that came with calls at other nodes to where the worker looks for them."""
        for body in bodies:
            for attachment in getattr(body, "attachments", ()):
                if attachment.url.startswith(UPLOADED):
                    name = PurePath(attachment.url.removeprefix(UPLOADED)).name
                    with suppress(FileGone):  # the worker reports it
                        await self._bring(number, _upload(name))

    async def _bring(self, number: str, path: str) -> None:
        folder = self._config.spool_of(number)
        target = folder / path
        if not await asyncio.to_thread(target.is_file):
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            await self._copy(number, path, target)
            await asyncio.to_thread(_open_to_worker, folder, path)

    async def forget(self, number: str) -> None:
        """Delete what is left of an erased number; its rows go with that of the number."""
        if isinstance(self._pieces, PiecesInFolder):
            await self._pieces.forget(number)
        fetched = self._config.data_dir / "fetched" / number
        await asyncio.to_thread(shutil.rmtree, fetched, ignore_errors=True)

    async def _keep_one(self, number: str, path: str, key: DataKey) -> None:
        try:
            opened = await asyncio.to_thread(open_inside, self._config.spool_of(number), path)
        except (OSError, OutsideRoot):
            return  # the worker has removed it, so its link leads nowhere on this node either
        try:
            found = os.fstat(opened)
            count = min(-(-found.st_size // PIECE) or 1, MOST_PIECES)
            # The first piece comes last, so a reader who finds it finds the whole file.
            for piece in reversed(range(count if stat.S_ISREG(found.st_mode) else 0)):
                content = await asyncio.to_thread(os.pread, opened, PIECE, piece * PIECE)
                sealed = key.seal(_cell(number, path, piece), content)
                await self._pieces.write(number, path, piece, sealed)
        finally:
            os.close(opened)

    async def _key_of(self, number: str) -> DataKey:
        query = select(tables.number.c.data_key).where(tables.number.c.digits == number)
        rows = await self._store.database.fetch(query)
        if not rows:
            raise FileGone
        return self._store.vault.open_data_key(number, rows[0].data_key)

    def _names(self, number: str, row: int) -> list[str]:
        folder = self._config.spool_of(number) / "in" / str(row)
        try:
            names = [each.name for each in folder.iterdir()]
        except OSError:
            return []
        return sorted(name for name in names if _NAME.fullmatch(name))[:MOST_FILES]


def _upload(name: str) -> str:
    return f"uploads/{name}"


def _open_to_worker(folder: Path, path: str) -> None:
    """Let the worker, which has a user of its own, read this file, and none to which it put a link."""
    with suppress(OSError, OutsideRoot):  # the worker reports it
        opened = open_inside(folder, path)
        try:
            os.fchmod(opened, 0o644)
        finally:
            os.close(opened)


def _append(path: Path, content: bytes) -> None:
    make_private_folder(path.parent)
    with path.open("ab") as file:
        file.write(content)


def _cell(number: str, path: str, piece: int) -> Cell:
    return Cell("stored_file", f"{number}/{path}/{piece}", "content")
