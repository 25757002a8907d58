"""How many workers may start at the same time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class StartSlot:
    """A place among the workers that are starting; it is released once."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            self._places.release()

    def release_after(self, seconds: float) -> None:
        """Release it after some time even if the worker never reports that it has started."""
        asyncio.get_running_loop().call_later(seconds, self.release)


class StartLimit:
    """Lets only so many workers start at a time."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[StartSlot]:
        await self._places.acquire()
        slot = StartSlot(self._places)
        try:
            yield slot
        finally:
            slot.release()
