"""The requests that are waiting for something."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Tasks:
    """Keeps what runs in the background, to end it with its owner."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def later(self, delay: float, action: Callable[[], None]) -> None:
        def act() -> None:
            self._timers.discard(timer)
            action()

        timer = asyncio.get_running_loop().call_later(delay, act)
        self._timers.add(timer)

    async def stop(self) -> None:
        """Cancel all of it."""
        for timer in self._timers:
            timer.cancel()
        for task in self._running:
            task.cancel()
        self._timers.clear()
        await asyncio.gather(*self._running, return_exceptions=True)
