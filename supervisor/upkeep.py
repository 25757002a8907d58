"""Chores in the background: erasing what is old, and moving data keys to the newest key."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from session_worker.protocol.files import incoming_folder, row_of
from supervisor.background_loop import BackgroundLoop
from supervisor.database import tables
from supervisor.journal.erasure import OldRow
from supervisor.nodes.files import PiecesInFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.journal.erasure import Erasure
    from supervisor.store.history import AlarmRows, History
    from supervisor.store.keys import Keys

INTERVAL = 3600.0  # seconds between two rounds
BATCH_PAUSE = 0.1  # seconds between two batches, so that urgent writes get their turn
ROWS = 200  # in one batch
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

logger = logging.getLogger(__name__)


class Retention:
    """Erases old messages with their files, and everything else that is kept for a time, batch by batch."""

    def __init__(
        self, erasure: Erasure, history: History, alarms: AlarmRows, config: Config
    ) -> None:
        self._erasure = erasure
        self._history = history
        self._alarms = alarms
        self._config = config
        self._kept = timedelta(days=config.retention_days)
        self._loop = BackgroundLoop("retention", self._run, INTERVAL)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def erase(self, now: datetime) -> None:
        """Erase contents after RETENTION_DAYS, and every trace of a message after twice as long."""
        before = now - self._kept
        while rows := await self._erasure.find_old(before, ROWS):
            # Files first: if the gateway ends here, their rows are found again.
            await asyncio.to_thread(self._remove_files, rows)
            await self._erasure.erase_bodies(rows)
            await asyncio.sleep(BATCH_PAUSE)
        deleted = ROWS
        while deleted == ROWS:
            deleted = await self._erasure.delete_rows(before - self._kept, ROWS)
            await asyncio.sleep(BATCH_PAUSE)
        await self._history.trim(before)
        await self._alarms.trim(before)
        await self._erasure.delete_heard(before)
        deleted = ROWS
        while deleted == ROWS:
            deleted = await self._erasure.delete_notifications(before, ROWS)
            await asyncio.sleep(BATCH_PAUSE)
        await self._erasure.delete_files(before)
        if self._config.node is not None and self._config.node.files is not None:
            await PiecesInFolder(self._config.node.files).erase(before.timestamp())
        await asyncio.to_thread(self._remove_photos, before.timestamp())
        await self._remove_left(now)

    async def _run(self) -> float:
        began = time.monotonic()
        await self.erase(tables.now())
        logger.debug("old messages were erased in %.1f s", time.monotonic() - began)
        return INTERVAL

    def _remove_files(self, rows: Sequence[OldRow]) -> None:
        for row in rows:
            _remove_from_worker(incoming_folder(self._config.spool_of(row.number), row.id))

    async def _remove_left(self, now: datetime) -> None:
        """Remove what another node has erased: files of messages, and folders of numbers.

        What is new is left alone, because the row of a number or a message comes before its folder,
        and so is every number that this database has never had: it may be the wrong database.
        """
        known, purged = await self._erasure.numbers()
        old = await asyncio.to_thread(self._old_folders_of_workers, known, now - self._kept)
        for start in range(0, len(old), ROWS):
            folders = [(OldRow(row_of(each), each.parts[-3]), each) for each in old[start:][:ROWS]]
            kept = await self._erasure.find_kept([row for row, _ in folders])
            for row, folder in folders:
                if row not in kept:
                    await asyncio.to_thread(_remove_from_worker, folder)
        lately = now - timedelta(seconds=INTERVAL)
        data_dir = self._config.data_dir
        left = [data_dir / place / number for number in purged for place in ("spool", "fetched")]
        for folder in await asyncio.to_thread(_old_among, left, lately):
            await asyncio.to_thread(_remove_folder, folder)

    def _old_folders_of_workers(self, numbers: Iterable[str], before: datetime) -> list[Path]:
        """Return old folders of messages; a hostile worker controls them, so no link is followed."""
        spools = [self._config.spool_of(number) for number in numbers]
        ways = [spool / way for spool in spools for way in ("in", "out")]
        own = (folder for way in ways if not way.is_symlink() for folder in way.glob("*"))
        return _old_among(own, before)

    def _remove_photos(self, before: float) -> None:
        old = ("spool/*/photos/*", "fetched/*/in/*/*")
        for photo in (each for where in old for each in self._config.data_dir.glob(where)):
            with _failure_logged(photo):
                if not photo.parent.is_symlink():
                    _remove_if_old(photo, before)


@contextmanager
def _failure_logged(path: Path) -> Iterator[None]:
    """Log a failure and go on, because a worker may have put something there that cannot be erased."""
    try:
        yield
    except FileNotFoundError:
        return
    except OSError as exc:
        logger.warning("%s could not be erased: %s", path, exc)


def _old_among(folders: Iterable[Path], before: datetime) -> list[Path]:
    found = []
    for folder in folders:
        with suppress(FileNotFoundError):
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_mtime < before.timestamp():
                found.append(folder)
    return found


def _remove_folder(folder: Path) -> None:
    with _failure_logged(folder):
        shutil.rmtree(folder)


def _remove_from_worker(folder: Path) -> None:
    """Remove a folder from one that a worker controls, and not from where a link in its place leads."""
    with _failure_logged(folder):
        above = os.open(folder.parent, _FOLDER)
        try:
            shutil.rmtree(folder.name, dir_fd=above)
        finally:
            os.close(above)


def _remove_if_old(path: Path, before: float) -> None:
    if path.stat().st_mtime < before:
        path.unlink()


DATA_KEYS = 50  # in one batch
FAILURE_PAUSE = 60.0  # seconds until a rotation that failed is tried again


class KeyRotation:
    """Goes through the data keys once, batch by batch; it can be interrupted and started again."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._loop = BackgroundLoop("key rotation", self._run, FAILURE_PAUSE)

    def start(self) -> None:
        if self._keys.are_several:
            self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def rotate(self, piece: int = DATA_KEYS) -> bool:
        """Return whether the older keys are no longer needed."""
        moved, last = 0, ""
        while (done := await self._keys.rewrap(last, piece)) is not None:
            moved, last = moved + done.moved, done.last
            for number in done.stuck:
                logger.error(
                    "number %s: its data key cannot be opened: restore it, or purge the number",
                    number,
                )
            await asyncio.sleep(BATCH_PAUSE)
        await self._keys.finish()
        logger.info("%d data keys were moved to the first key of SECRET_KEY", moved)
        return not await self._keys.count_old()

    async def _run(self) -> None:
        if await self.rotate():
            logger.warning("the first key of SECRET_KEY is enough now: remove the older ones")
        else:
            logger.error("the older keys of SECRET_KEY are still needed")
