"""Moves the data keys that an older key of SECRET_KEY protects to the newest one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from supervisor.background_loop import BackgroundLoop

if TYPE_CHECKING:
    from supervisor.store.keys import Keys

BATCH_PAUSE = 0.1  # seconds between two batches, so that urgent writes get their turn
BATCH = 50  # data keys
FAILURE_PAUSE = 60.0  # seconds until a rotation that failed is tried again

logger = logging.getLogger(__name__)


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

    async def rotate(self, piece: int = BATCH) -> bool:
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
