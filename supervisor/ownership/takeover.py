"""The time in which this gateway owns the data, waited for if another one has it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from supervisor.errors import GatewayError, StandingBy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from supervisor.ownership.data_dir_lock import Ownership

AT_ONCE = 0.5  # seconds in which data that nobody owns become ours
TAKEOVER_PAUSE = 1.0  # seconds until a failed takeover is tried again

logger = logging.getLogger(__name__)


class Takeover:
    """Begins the work once the data are ours, whether now or when the other gateway is gone."""

    def __init__(self, ownership: Ownership, begin: Callable[[], Awaitable[None]]) -> None:
        self._ownership = ownership
        self._begin = begin
        self._waiting: asyncio.Task[None] | None = None
        self._trouble: str | None = None
        self._begun = False

    @property
    def not_active_reason(self) -> str | None:
        """Why nothing can be done for numbers, in words; nothing if it can."""
        if self._begun:
            return None
        return self._trouble or self._ownership.reason or "the gateway is starting"

    def require(self) -> None:
        if not self._begun:
            raise StandingBy(self.not_active_reason)

    async def start(self) -> None:
        """Begin at once, raising what stands against it; or return and stand by."""
        acquiring = asyncio.create_task(self._ownership.acquire())
        await asyncio.wait({acquiring}, timeout=AT_ONCE)
        if not acquiring.done():
            logger.warning("%s", self._ownership.reason)
            self._waiting = asyncio.create_task(self._stand_by(acquiring), name="standby")
            return
        try:
            await acquiring
            await self._begin()
        except BaseException:
            self._ownership.release()
            raise
        self._begun = True

    async def stop(self) -> None:
        """Give up waiting; what is owned stays owned until `release`."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.wait({self._waiting})

    def release(self) -> None:
        self._begun = False
        self._ownership.release()

    async def _stand_by(self, acquiring: asyncio.Task[None]) -> None:
        try:
            await acquiring
            logger.warning("the other gateway is gone, so this one takes over")
            await self._take_over()
        except Exception as exc:  # the root of this task; nobody awaits it
            logger.exception("takeover failed")
            self._trouble = f"takeover failed: {type(exc).__name__}"
            self._ownership.release()

    async def _take_over(self) -> None:
        while not self._begun:
            try:
                await self._begin()
                self._begun = True
            except GatewayError as exc:
                logger.exception("takeover failed, it is tried again")
                self._trouble = f"takeover failed: {exc}"
                await asyncio.sleep(TAKEOVER_PAUSE)
