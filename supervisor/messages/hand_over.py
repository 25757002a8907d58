"""Which rows the worker holds: handed over in order, bounded in number, and held back while one may be our own echo."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from supervisor.errors import DatabaseError, DatabaseUnavailable
from supervisor.journal.pending import Excluded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from supervisor.journal.values import Waiting


PIECE = 64  # rows that are read at once
PAUSE = 1.0  # seconds until the database is asked again after a failure

logger = logging.getLogger(__name__)


class Item(Protocol):
    """A row that is handed over after all earlier rows of its lane."""

    @property
    def row(self) -> int: ...
    @property
    def lane(self) -> int: ...


T = TypeVar("T", bound=Item)


class HandOver(Generic[T]):
    """Hands over the oldest rows first; a new row directly, if none before it is waiting."""

    def __init__(
        self,
        name: str,
        load: Callable[[Excluded, int], Awaitable[tuple[Sequence[T], int]]],
        hand: Callable[[T], None],
        *,
        is_shared: bool = False,
    ) -> None:
        """Let `load` return the oldest rows without the excluded ones, and how many rows it looked at.

        If rows are shared, other nodes store some of them, so a new row may not be the next one.
        """
        self._is_shared = is_shared
        self._name = name
        self._load = load
        self._hand = hand
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_reading = False
        self._has_missed = False
        self._dropped: set[int] = set()
        self.in_flight = InFlight()

    def start(self) -> None:
        """Hand over everything that waits to a worker that has just started."""
        self.in_flight = InFlight()
        self._wanted.set()
        self._task = asyncio.create_task(self._serve(), name=self._name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def add(self, item: T) -> None:
        """Hand over a row that has just been stored, or note that it waits."""
        if self._task is None or item.row in self.in_flight.rows:
            return
        if self._is_shared:
            self.reload()
            return
        lane = item.lane
        if not self._is_reading and self.in_flight.is_next(lane) and self.in_flight.takes(lane):
            self._hand_over(item)
        else:
            # The read in progress may have missed this row, so the database is read again.
            self._has_missed = True
            self.in_flight.behind.add(lane)
            self._look()

    def remove(self, rows: Iterable[int]) -> None:
        """Forget rows that are finished."""
        for row in rows:
            self.in_flight.remove(row)
            if self._is_reading:
                self._dropped.add(row)
        self._look()

    def reload(self) -> None:
        """Read from the database what waits, because our knowledge may be wrong."""
        self._has_missed = True
        self.in_flight.all_may_be_behind = True
        self._wanted.set()

    def reload_if_behind(self, waiting: int | None) -> None:
        """Reload if more rows wait than are handed over; None stands for at least one more."""
        if waiting is None or waiting > len(self.in_flight.rows):
            self.reload()

    def _look(self) -> None:
        if self.in_flight.wants_more():
            self._wanted.set()

    async def _serve(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._catch_up()
                continue
            except DatabaseUnavailable as exc:  # which is logged once for all numbers
                logger.debug("%s: %s", self._name, exc)
            except DatabaseError as exc:
                logger.warning("%s: %s", self._name, exc)
            except Exception:  # the root of the task; without it the number would stop silently
                logger.exception("%s: handing over rows failed", self._name)
            await asyncio.sleep(PAUSE)
            self._wanted.set()

    async def _catch_up(self) -> None:
        self._is_reading = True
        try:
            while self.in_flight.has_room and not await self._read_piece():
                pass
        finally:
            self._is_reading = False

    async def _read_piece(self) -> bool:
        """Hand over the next rows; return whether all remaining rows have to wait."""
        held = self.in_flight
        self._has_missed = False
        self._dropped.clear()
        left = set(held.full_lanes)
        rows, looked_at = await self._load(Excluded(tuple(held.rows), tuple(left)), PIECE)
        for item in rows:
            if item.row in self._dropped:
                continue
            if held.takes(item.lane) and item.lane not in left:
                self._hand_over(item)
            else:
                left.add(item.lane)
        if looked_at < PIECE and not self._has_missed:
            held.all_may_be_behind = False
            held.behind = left
            return True
        return False

    def _hand_over(self, item: T) -> None:
        self.in_flight.add(item.row, item.lane)
        self._hand(item)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many rows a worker may hold.

    Rows of lanes that rest count only towards `in_all`, so that a few chats with failures do not
    block all others.
    """

    of_lane: int = 32
    at_work: int = 256
    in_all: int = 1024


class InFlight:
    """The rows that the worker holds, and the lanes that have more rows in the database.

    A lane is a chat, or a message whose status must be reported to Planfix.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._of_lane: Counter[int] = Counter()
        self._resting: set[int] = set()
        self.rows: dict[int, int] = {}
        self.behind: set[int] = set()
        self.all_may_be_behind = True

    @property
    def has_room(self) -> bool:
        return self._at_work < self._limits.at_work and len(self.rows) < self._limits.in_all

    @property
    def full_lanes(self) -> frozenset[int]:
        most = self._limits.of_lane
        return frozenset(lane for lane, count in self._of_lane.items() if count >= most)

    def takes(self, lane: int) -> bool:
        """Whether another row of this lane may be handed over."""
        return self.has_room and self._of_lane[lane] < self._limits.of_lane

    def is_next(self, lane: int) -> bool:
        """Whether all earlier rows of this lane have been handed over."""
        return not self.all_may_be_behind and lane not in self.behind

    def add(self, row: int, lane: int) -> None:
        self.rows[row] = lane
        self._of_lane[lane] += 1

    def remove(self, row: int) -> None:
        lane = self.rows.pop(row, None)
        if lane is None:
            return
        self._of_lane[lane] -= 1
        self._resting.discard(lane)
        if not self._of_lane[lane]:
            del self._of_lane[lane]

    def rest(self, row: int) -> None:
        """Note that the lane of the row waits for its next attempt or for another row."""
        if row in self.rows:
            self._resting.add(self.rows[row])

    def work(self, row: int) -> None:
        """Note that the worker is working on the row."""
        if row in self.rows:
            self._resting.discard(self.rows[row])

    def wants_more(self) -> bool:
        """Whether it is worth reading more rows from the database."""
        if not self.has_room or self._at_work > self._limits.at_work // 2:
            return False
        return self.all_may_be_behind or any(map(self._has_half, self.behind))

    def _has_half(self, lane: int) -> bool:
        return self._of_lane[lane] <= self._limits.of_lane // 2

    @property
    def _at_work(self) -> int:
        return len(self.rows) - sum(self._of_lane[lane] for lane in self._resting)


class EchoFilter:
    """Lets messages from Telegram pass, in the order of each chat.

    While it is unknown whether Telegram accepted an outgoing message, an echo in the same chat may
    be that message. The echo waits, and so do all later messages of the chat. Outcomes arrive in
    the order of rows, so it is enough to track the newest open row of a chat.
    """

    def __init__(self, let_pass: Callable[[Waiting], None]) -> None:
        self._let_pass = let_pass
        self._doubts: dict[int, int] = {}
        self._chats: dict[int, int] = {}
        self._held: dict[int, deque[Waiting]] = {}

    def start(self, doubts: Mapping[int, int]) -> None:
        """Start again with the newest outgoing row of each chat whose outcome is unknown."""
        self._doubts = dict(doubts)
        self._chats = {row: peer_id for peer_id, row in doubts.items()}
        self._held = {}

    def add(self, waiting: Waiting) -> bool:
        """Pass or hold the message; return whether it passed."""
        peer_id = waiting.peer_id
        may_pass = peer_id not in self._held and not (waiting.is_echo and peer_id in self._doubts)
        if may_pass:
            self._let_pass(waiting)
        else:
            self._held.setdefault(peer_id, deque()).append(waiting)
        return may_pass

    def mark_open(self, peer_id: int, row: int) -> None:
        """Note that the worker is sending an outgoing row."""
        known = self._doubts.get(peer_id, row)
        if known > row:
            return
        self._chats.pop(known, None)
        self._doubts[peer_id] = row
        self._chats[row] = peer_id

    def mark_known(self, row: int) -> None:
        """Note that the outcome of an outgoing row is known."""
        peer_id = self._chats.get(row)
        if peer_id is not None:
            self.release_chat(peer_id)

    def release_chat(self, peer_id: int) -> None:
        """Note that no row of the chat is open."""
        self._chats.pop(self._doubts.pop(peer_id, 0), None)
        for waiting in self._held.pop(peer_id, ()):
            self._let_pass(waiting)

    def drop(self, rows: Collection[int]) -> None:
        """Forget held messages that are finished or deleted, such as echoes of our own messages."""
        if rows:
            for peer_id, held in self._held.items():
                self._held[peer_id] = deque(each for each in held if each.row not in rows)
