"""The events of one worker that are not stored yet, limited in number, limited in bytes."""

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
    """The most of one worker's events that is in memory, and of those what is stored together."""

    events: int = 1000
    weight: int = 2 * 1024 * 1024  # bytes of frames; as values they take several times as many
    events_at_once: int = 200
    weight_at_once: int = 128 * 1024


class EventQueue:
    """Gives events in batches; a batch counts until the next one is asked for.

    Whoever puts an event in waits while there is no room: then its worker is not read, and has to
    wait as well. One event always has room, so that each gets through.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._waiting: deque[tuple[Event, int]] = deque()
        self.weight = 0
        """Bytes of the frames that are not dealt with."""
        self._is_over = False
        self._changed = asyncio.Event()

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
        """Say that nothing more comes."""
        self._is_over = True
        self._changed.set()

    async def batches(self) -> AsyncIterator[list[Event]]:
        """Give what has come by now, in order, until nothing more comes."""
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
