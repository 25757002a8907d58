"""Erases what people wrote once it has been kept long enough."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from session_worker.protocol.spool import incoming_file
from supervisor.database import tables
from supervisor.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.journal.erasure import Erasure, OldRow

INTERVAL = 3600.0  # seconds between two rounds
PAUSE_BETWEEN_BATCHES = (
    0.1  # seconds between two pieces of work, for those who have something urgent
)
PIECE = 200  # rows

logger = logging.getLogger(__name__)


class Retention:
    """Goes through the journal with the files beside it, a little at a time."""

    def __init__(self, erasure: Erasure, config: Config) -> None:
        self._erasure = erasure
        self._config = config
        self._kept = timedelta(days=config.retention_days)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="retention")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def erase(self, now: datetime) -> None:
        """Erase contents after the time set, all trace of a message after twice that."""
        before = now - self._kept
        while rows := await self._erasure.find_old(before, PIECE):
            # Files first: should we die here, their rows are found again.
            await asyncio.to_thread(self._remove_files, rows)
            await self._erasure.erase_bodies(rows)
            await asyncio.sleep(PAUSE_BETWEEN_BATCHES)
        deleted = PIECE
        while deleted == PIECE:
            deleted = await self._erasure.delete_rows(before - self._kept, PIECE)
            await asyncio.sleep(PAUSE_BETWEEN_BATCHES)
        await asyncio.to_thread(self._remove_photos, before.timestamp())

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                await self.erase(tables.now())
                logger.debug("what was old was erased in %.1f s", time.monotonic() - began)
            except DatabaseError as exc:
                logger.warning("what is old could not be erased: %s", exc)
            except Exception:  # the root of this task
                logger.exception("what is old could not be erased")
            await asyncio.sleep(INTERVAL)

    def _remove_files(self, rows: Sequence[OldRow]) -> None:
        for row in rows:
            folder = incoming_file(self._config.spool_of(row.number), row.id, 0).parent
            with suppress(FileNotFoundError):
                shutil.rmtree(folder)

    def _remove_photos(self, before: float) -> None:
        for photo in self._config.data_dir.glob("spool/*/photos/*"):
            with suppress(FileNotFoundError):
                _remove_if_old(photo, before)


def _remove_if_old(path: Path, before: float) -> None:
    if path.stat().st_mtime < before:
        path.unlink()
