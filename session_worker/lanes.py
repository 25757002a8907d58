"""Work in lanes: items of one lane run in order, and lanes run in parallel."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Lanes(Generic[T]):
    """Runs one item per lane at a time; a lane exists only while it has work."""

    def __init__(self, work: Callable[[T], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: dict[Hashable, deque[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def depth(self) -> int:
        """How many items wait or are worked on."""
        return sum(map(len, self._waiting.values()))

    def put(self, lane: Hashable, item: T) -> None:
        """Queue an item behind everything that was put into the same lane before."""
        if lane in self._waiting:
            self._waiting[lane].append(item)
            return
        self._waiting[lane] = deque([item])
        task = asyncio.create_task(self._run(lane), name=f"lane {lane}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the work under way and drop the rest."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()

    async def _run(self, lane: Hashable) -> None:
        queue = self._waiting[lane]
        while queue:
            try:
                await self._work(queue[0])
            except Exception:  # the root of a task: one failed item must not stop the others
                logger.exception("work in lane %s failed", lane)
            queue.popleft()
        del self._waiting[lane]
