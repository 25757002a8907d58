"""Takes over when this gateway owns the data, at once or after another gateway has ended."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from supervisor.background_loop import BackgroundLoop
from supervisor.errors import GatewayError, StandingBy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from supervisor.ownership.data_dir_lock import Ownership

AT_ONCE = 0.5  # seconds within which data without an owner becomes ours
TAKEOVER_PAUSE = 1.0  # seconds until a failed takeover is tried again

logger = logging.getLogger(__name__)


class Takeover:
    """Begins the work once the data is ours: now, or when the other gateway has ended."""

    def __init__(self, ownership: Ownership, begin: Callable[[], Awaitable[None]]) -> None:
        self._ownership = ownership
        self._begin = begin
        self._standby: BackgroundLoop | None = None
        self._trouble: str | None = None
        self._begun = False

    @property
    def not_active_reason(self) -> str | None:
        """Why this gateway cannot work on numbers; None if it can."""
        if self._begun:
            return None
        return self._trouble or self._ownership.reason or "the gateway is starting"

    def require(self) -> None:
        if not self._begun:
            raise StandingBy(self.not_active_reason)

    async def start(self) -> None:
        """Begin at once, or raise the reason why not; if another gateway owns the data, stand by."""
        acquiring = asyncio.create_task(self._ownership.acquire())
        await asyncio.wait({acquiring}, timeout=AT_ONCE)
        if not acquiring.done():
            logger.warning("%s", self._ownership.reason)
            stand_by = partial(self._stand_by, acquiring)
            self._standby = BackgroundLoop("standby", stand_by, TAKEOVER_PAUSE)
            self._standby.start()
            return
        try:
            await acquiring
            await self._begin()
        except BaseException:  # cancelled or failed: another gateway may begin
            self._ownership.release()
            raise
        self._begun = True

    async def stop(self) -> None:
        """Stop waiting; data that is owned stays owned until `release`."""
        if self._standby is not None:
            await self._standby.stop()

    def release(self) -> None:
        self._begun = False
        self._ownership.release()

    async def _stand_by(self, acquiring: asyncio.Task[None]) -> float | None:
        try:
            await acquiring
            if self._trouble is None:
                logger.warning("the other gateway has ended, so this one takes over")
            await self._begin()
            self._begun = True
        except GatewayError as exc:
            logger.exception("the takeover failed and is tried again")
            self._trouble = f"takeover failed: {exc}"
            return TAKEOVER_PAUSE
        except Exception as exc:  # a bug: another gateway may do better
            logger.exception("the takeover failed")
            self._trouble = f"takeover failed: {type(exc).__name__}"
            self._ownership.release()
        return None
