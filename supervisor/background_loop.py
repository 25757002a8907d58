"""Chores that are repeated in the background: for the gateway, or for each number that has work."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from supervisor.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


class BackgroundLoop:
    """Repeats a chore after the pause that the chore returns, until it returns None.

    A chore that fails is logged and repeated after `failure_pause` seconds.
    """

    def __init__(
        self, name: str, chore: Callable[[], Awaitable[float | None]], failure_pause: float
    ) -> None:
        self._name = name
        self._chore = chore
        self._failure_pause = failure_pause
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    @property
    def is_started(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    def wake(self) -> None:
        """Run the chore again at once or, if it is running, as soon as it has ended."""
        self._woken.set()

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        while (pause := await self._attempt()) is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _attempt(self) -> float | None:
        self._woken.clear()
        try:
            return await self._chore()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody has cancelled us: asyncpg raises this when it gives up a connection.
            logger.warning("%s failed: it was cancelled from within", self._name)
        except GatewayError as exc:
            logger.warning("%s failed: %s", self._name, exc)
        except Exception:  # the root of this task
            logger.exception("%s failed", self._name)
        return self._failure_pause


PAUSE = 2.0  # seconds until the work of a number is tried again after a failure


class LoopOfEach:
    """A task for each number that has work, and none for the others; the pieces are done in order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._woken: dict[str, asyncio.Event] = {}
        self.chore: Callable[[str], Awaitable[float | None]] | None = None
        """Does the next piece of a number's work; returns in how many seconds there may be more, or None."""

    def wake(self, number: str) -> None:
        """Look whether the number has work, because its worker runs now or something has come."""
        if number in self._tasks:
            self._woken[number].set()
        elif self.chore is not None:
            woken = self._woken[number] = asyncio.Event()
            task = asyncio.create_task(self._run(number, woken), name=f"{self._name} of {number}")
            self._tasks[number] = task

    async def halt(self, number: str) -> None:
        """Leave the rest to the node that runs the number next."""
        task = self._tasks.pop(number, None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def stop(self) -> None:
        for number in list(self._tasks):
            await self.halt(number)

    async def _run(self, number: str, woken: asyncio.Event) -> None:
        is_over = False
        while not is_over:
            woken.clear()
            pause = await self._attempt(number)
            if pause:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await woken.wait()
            is_over = pause is None and not woken.is_set()
        self._tasks.pop(number, None)

    async def _attempt(self, number: str) -> float | None:
        assert self.chore is not None
        try:
            return await self.chore(number)
        except GatewayError as exc:
            logger.warning("%s of %s has to wait: %s", self._name, number, exc)
        except Exception:  # the root of the task; without it the number would fall silent
            logger.exception("%s of %s has to wait", self._name, number)
        await asyncio.sleep(PAUSE)
        return 0.0
