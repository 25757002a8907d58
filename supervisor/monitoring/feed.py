"""Hands events to everybody who listens, as they happen."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from supervisor.journal.values import ByDirection
    from supervisor.numbers.state import Change

MOST_WAITING = 1000  # events for one listener, before it counts as too slow
MOST_KEPT = 2000  # events for listeners that come back


class MessageCounts(NamedTuple):
    """How many messages of a number wait now, and how many are dead letters."""

    number: str
    backlog: ByDirection
    dead: ByDirection


class Event(NamedTuple):
    """Something that happened; ids grow, even across restarts of the gateway."""

    id: int
    what: Change | MessageCounts


class TooSlow(Exception):
    """The listener did not take its events in time."""


class Feed:
    """Keeps the newest events, so that a listener can go on where it stopped."""

    def __init__(self) -> None:
        self._next = int(time.time() * 1000) * 1000
        self._kept: deque[Event] = deque(maxlen=MOST_KEPT)
        self._listeners: set[Listener] = set()

    @property
    def has_listeners(self) -> bool:
        return bool(self._listeners)

    def publish(self, what: Change | MessageCounts) -> None:
        self._next += 1
        event = Event(self._next, what)
        self._kept.append(event)
        for listener in self._listeners:
            listener.add(event)

    def count(self, number: str) -> int:
        """Return how many listen to this number alone."""
        return sum(listener.number == number for listener in self._listeners)

    def listen(self, number: str | None = None, after: int | None = None) -> Listener:
        """Return a listener for all numbers or one; `after` is the id of its newest event."""
        listener = Listener(self._listeners, number)
        if after is not None:
            for event in self.events_after(after):
                listener.add(event)
        return listener

    def knows(self, after: int) -> bool:
        """Whether no event after this one is forgotten."""
        oldest = self._kept[0].id if self._kept else self._next + 1
        return oldest - 1 <= after <= self._next

    def events_after(self, after: int) -> Iterator[Event]:
        return (event for event in self._kept if event.id > after)


class Listener:
    """The events that one reader has not taken yet."""

    def __init__(self, listeners: set[Listener], number: str | None) -> None:
        self._listeners = listeners
        self.number = number
        self._waiting: asyncio.Queue[Event] = asyncio.Queue()

    def __enter__(self) -> Self:
        self._listeners.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listeners.discard(self)

    def add(self, event: Event) -> None:
        if self.number in {None, event.what.number} and self._waiting.qsize() <= MOST_WAITING:
            self._waiting.put_nowait(event)

    async def next(self) -> Event:
        """Wait for the next event; raise TooSlow if some had to be left out."""
        if self._waiting.qsize() > MOST_WAITING:
            raise TooSlow
        return await self._waiting.get()
