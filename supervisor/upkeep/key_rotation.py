"""Moves what an older key of SECRET_KEY protects to the newest one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from supervisor.errors import DatabaseError

if TYPE_CHECKING:
    from supervisor.store.keys import Keys

PAUSE_BETWEEN_BATCHES = (
    0.1  # seconds between two pieces of work, for those who have something urgent
)
PIECE = 50  # data keys
PAUSE = 60.0  # seconds until a rotation that failed is tried again

logger = logging.getLogger(__name__)


class KeyRotation:
    """Goes through the data keys once, a little at a time; broken off, it goes on at the next start."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._keys.are_several:
            self._task = asyncio.create_task(self._run(), name="rotation")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def rotate(self, piece: int = PIECE) -> bool:
        """Return whether the older keys are needed no longer."""
        moved, last = 0, ""
        while (done := await self._keys.rewrap(last, piece)) is not None:
            moved, last = moved + done.moved, done.last
            for number in done.stuck:
                logger.error("number %s: its data key does not open, restore or purge it", number)
            await asyncio.sleep(PAUSE_BETWEEN_BATCHES)
        await self._keys.finish()
        logger.info("%d data keys were moved to the first key of SECRET_KEY", moved)
        return not await self._keys.count_old()

    async def _run(self) -> None:
        while not await self._try():
            logger.info("it is tried again in %.0f s", PAUSE)
            await asyncio.sleep(PAUSE)

    async def _try(self) -> bool:
        """Return whether there is no use in another try."""
        try:
            is_over = await self.rotate()
        except DatabaseError as exc:
            logger.warning("the keys could not be rotated: %s", exc)
            return False
        except Exception:  # the root of this task
            logger.exception("the keys could not be rotated")
            return False
        if is_over:
            logger.warning("the first key of SECRET_KEY is enough now: take the older ones out")
        else:
            logger.error("the older keys of SECRET_KEY are still needed")
        return True
