"""A bounded inbox of updates, whose acknowledgements move the stored update state."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_worker.protocol.contract import UpdateState


OWN = "_self_outgoing"  # the library's mark on updates that came as the answer to a request of its own


class Undecoded(types.UpdatesTooLong):  # type: ignore[misc]  # telethon is untyped
    """Stands for an update that cannot be decoded, so that Telegram must be asked what it was."""


class LibraryQueue(asyncio.Queue[Any]):
    """The library's queue of raw updates; when it is full, one difference replaces its content.

    Nothing is lost by that, because the update state has not moved past what is dropped.
    """

    def __init__(self, limit: int, opened: asyncio.Event) -> None:
        super().__init__()
        self._limit = limit
        self._opened = opened
        self.pushes = 0

    async def get(self) -> Any:
        """Give nothing away until updates may be followed.

        The library's update state moves past an update as soon as it has it. A state that is
        reported before the update itself would let a crash lose the update.
        """
        await self._opened.wait()
        return await super().get()

    def put_nowait(self, item: Any) -> None:
        is_ours = isinstance(item, types.UpdatesTooLong) or getattr(item, OWN, False)
        if isinstance(item, Undecoded) or not is_ours:
            self.pushes += 1
        if self.qsize() >= self._limit:
            while not self.empty():
                self.get_nowait()
            item = types.UpdatesTooLong()
        super().put_nowait(item)


@dataclass(frozen=True, slots=True)
class PositionedUpdate:
    """One update with its position, which must be acknowledged once the update is stored."""

    position: int
    update: Any


@dataclass(frozen=True, slots=True)
class Gap:
    """Updates that cannot be fetched as updates, so that the history must be read instead.

    Either Telegram no longer provides them, or our layer cannot decode them. In the second case the
    ids are those of the messages next to the gap, or 0 if none is known.
    """

    pts_from: int
    pts_to: int
    is_undecodable: bool = False
    after_id: int = 0
    before_id: int = 0

    @property
    def steps(self) -> int:
        """How many updates may be missing at most."""
        return self.pts_to - self.pts_from


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Marks the beginning of updates that were missed while the number was offline."""

    pts_from: int
    pts_to: int
    began: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Marks that everything missed has arrived."""

    what: CatchUp


class Inbox:
    """Updates in order, waiting to be stored; the sender waits while it is full."""

    def __init__(self, limit: int, moved: Callable[[UpdateState], None]) -> None:
        self._limit = limit
        self._moved = moved
        self._progress = Progress()
        self._waiting: asyncio.Queue[PositionedUpdate] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._reported: UpdateState | None = None
        self._catching_up: CatchUp | None = None
        self.last_heard: float | None = None

    @property
    def depth(self) -> int:
        return self._waiting.qsize()

    @property
    def reached(self) -> UpdateState | None:
        """The state up to which updates are in here, and from which the next connection continues."""
        return self._progress.reached

    @property
    def is_catching_up(self) -> bool:
        return self._catching_up is not None

    @property
    def is_full(self) -> bool:
        return not self._has_room.is_set()

    async def start_catch_up(self, place: UpdateState, pts: int) -> None:
        """Mark where the missed updates begin, which end at ``pts``."""
        catch_up = self._catching_up or CatchUp(place.pts, pts, place.date)
        self._catching_up = replace(catch_up, pts_to=pts)
        await self.put(place, [self._catching_up])

    async def put(self, state: UpdateState, updates: Sequence[Any]) -> None:
        await self._has_room.wait()
        if self._catching_up is not None and state.pts >= self._catching_up.pts_to:
            reached = self._progress.reached
            missed, live = split_missed(
                updates, reached.pts if reached else 0, self._catching_up.pts_to
            )
            updates = [*missed, CaughtUp(self._catching_up), *live]
            self._catching_up = None
        # From here on it is all or nothing, so that a connection that ends while waiting above
        # hands over nothing by half.
        positions = self._progress.add(state, len(updates))
        for position, update in zip(positions, updates, strict=True):
            self._waiting.put_nowait(PositionedUpdate(position, update))
        if updates:
            self.last_heard = time.time()
        if self.depth >= self._limit:
            self._has_room.clear()
        self._report_safe()

    async def take(self) -> PositionedUpdate:
        incoming = await self._waiting.get()
        if self.depth < self._limit:
            self._has_room.set()
        return incoming

    def acknowledge(self, position: int) -> None:
        """Record that this update is stored; the safe state follows in order."""
        self._progress.acknowledge(position)
        self._report_safe()

    def _report_safe(self) -> None:
        safe = self._progress.safe
        if safe is not None and _position(safe) != _position(self._reported):
            self._reported = safe
            self._moved(safe)


def split_missed(updates: Sequence[Any], begin: int, end: int) -> tuple[list[Any], list[Any]]:
    """Separate what was missed up to ``end`` from what arrived while it was fetched.

    A new message in a difference does not contain its pts. Such messages are in order and take one
    step each, so they have those steps that nothing else in the difference has.
    """
    others = (each for each in updates if 0 < getattr(each, "pts", 0) <= end)
    swallowed = sum(each.steps for each in updates if isinstance(each, Gap))
    room = end - begin - swallowed - sum(each.pts_count for each in others)
    missed: list[Any] = []
    live: list[Any] = []
    for each in updates:
        is_unnamed = isinstance(each, types.UpdateNewMessage) and not each.pts
        is_live = room <= 0 if is_unnamed else getattr(each, "pts", 0) > end
        room -= is_unnamed
        (live if is_live else missed).append(each)
    return missed, live


def _position(state: UpdateState | None) -> tuple[int, int, int] | None:
    """Leave out the date, which changes with every answer."""
    return None if state is None else (state.pts, state.qts, state.seq)


@dataclass(slots=True)
class _Batch:
    """Updates that arrived together, with the state that holds once all of them are stored."""

    state: UpdateState
    open: int


class Progress:
    """Accepts acknowledgements in any order and moves the safe state forward in order."""

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._of: dict[int, _Batch] = {}
        self._next = 1
        self.safe: UpdateState | None = None
        self.reached: UpdateState | None = None

    @property
    def open(self) -> int:
        """How many updates have not been acknowledged."""
        return len(self._of)

    def add(self, state: UpdateState, count: int) -> range:
        """Give positions to ``count`` updates, after all of which ``state`` holds."""
        positions = range(self._next, self._next + count)
        self._next += count
        self.reached = state
        if count == 0 and self._batches:
            self._batches[-1].state = state
            return positions
        batch = _Batch(state, count)
        self._batches.append(batch)
        self._of.update(dict.fromkeys(positions, batch))
        self._advance()
        return positions

    def acknowledge(self, position: int) -> None:
        """Mark one update as stored; a second call changes nothing."""
        batch = self._of.pop(position, None)
        if batch is not None:
            batch.open -= 1
            self._advance()

    def _advance(self) -> None:
        while self._batches and self._batches[0].open == 0:
            self.safe = self._batches.popleft().state
