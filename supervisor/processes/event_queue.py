"""The events of one worker that are not stored yet, limited in number and in bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from session_worker.protocol.contract import Event


@dataclass(frozen=True, slots=True)
class Limits:
    """How many events of one worker are kept in memory, and how many of them are stored together."""

    events: int = 1000
    weight: int = 2 * 1024 * 1024  # bytes of frames; parsed events take several times as much
    events_at_once: int = 200
    weight_at_once: int = 128 * 1024


class EventQueue:
    """Returns events in batches; a batch counts as unstored until the next one is asked for.

    While the queue is full, `put` waits: the worker's pipe is then not read, so the worker has to
    wait too. A single event always fits, so that every event gets through.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._waiting: deque[tuple[Event, int]] = deque()
        self.weight = 0
        """Bytes of the frames that are not stored yet."""
        self._is_over = False
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many events wait to be stored."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        limits = self._limits
        return len(self._waiting) >= limits.events or self.weight >= limits.weight

    async def put(self, event: Event, weight: int) -> None:
        while self.is_full:
            await self._change()
        self._waiting.append((event, weight))
        self.weight += weight
        self._changed.set()

    def finish(self) -> None:
        """Announce that no event will follow."""
        self._is_over = True
        self._changed.set()

    async def batches(self) -> AsyncIterator[list[Event]]:
        """Return the events that have come so far, in order, until no event will follow."""
        while True:
            while not self._waiting and not self._is_over:
                await self._change()
            if not self._waiting:
                return
            batch, weight = self._take()
            yield batch
            self.weight -= weight
            self._changed.set()

    def _take(self) -> tuple[list[Event], int]:
        limits = self._limits
        event, weight = self._waiting.popleft()
        batch = [event]
        while self._waiting and len(batch) < limits.events_at_once:
            event, more = self._waiting[0]
            if weight + more > limits.weight_at_once:
                break
            self._waiting.popleft()
            batch.append(event)
            weight += more
        return batch, weight

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
