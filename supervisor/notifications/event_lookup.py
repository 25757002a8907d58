"""Completes the events for which Planfix is still to be asked: one after the other for each bot, none lost."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from supervisor.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAUSE = 2.0  # seconds until the database is asked again after a failure

logger = logging.getLogger(__name__)


class EventLookup:
    """A task for each bot that has such events, and none for the others."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self.finish_oldest: Callable[[str], Awaitable[bool]] | None = None
        """Completes the oldest event of a bot; returns whether there was one."""

    def wake(self, number: str) -> None:
        """Look whether an event waits, because a worker runs now or an event has come."""
        if number in self._tasks:
            self._again.add(number)
        elif self.finish_oldest is not None:
            task = asyncio.create_task(self._run(number), name=f"look-ups of {number}")
            self._tasks[number] = task

    async def halt(self, number: str) -> None:
        """Leave the rest to the node that runs the bot next."""
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def stop(self) -> None:
        for number in list(self._tasks):
            await self.halt(number)

    async def _run(self, number: str) -> None:
        while True:
            self._again.discard(number)
            while await self._finish(number):
                pass
            if number not in self._again:
                break
        self._tasks.pop(number, None)

    async def _finish(self, number: str) -> bool:
        assert self.finish_oldest is not None
        try:
            return await self.finish_oldest(number)
        except GatewayError as error:
            logger.warning("bot %s: an event waits for its look-up: %s", number, error)
        except Exception:  # the root of the task; without it the bot would fall silent
            logger.exception("bot %s: an event waits for its look-up", number)
        await asyncio.sleep(PAUSE)
        return True
