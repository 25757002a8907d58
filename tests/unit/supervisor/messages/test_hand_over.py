"""Handing rows over: oldest first, each once, never too many, no chat at the cost of others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.errors import DatabaseUnavailable
from supervisor.messages.hand_over import PIECE, HandOver, InFlight, Limits
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.journal.pending import Excluded
    from tests.support.clock import AutojumpClock


@dataclass(frozen=True)
class Row:
    """A row of a lane."""

    row: int
    lane: int


@dataclass
class Shelf:
    """A database of memory with a tray before it."""

    rows: list[Row] = field(default_factory=list)
    handed: list[Row] = field(default_factory=list)
    failures: int = 0
    newest: int = 0
    done: int = 0
    before_read: Callable[[], object] = lambda: None
    after_read: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.hand_over: HandOver[Row] = HandOver("tray", self.load, self.handed.append)

    async def load(self, excluded: Excluded, limit: int) -> tuple[list[Row], int]:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable
        self.before_read()
        found = [
            row
            for row in self.rows
            if row.row not in excluded.rows and row.lane not in excluded.lanes
        ][:limit]
        self.after_read()
        await asyncio.sleep(0)
        return found, len(found)

    def add(self, lane: int, *, offered: bool = True) -> Row:
        self.newest += 1
        row = Row(self.newest, lane)
        self.rows.append(row)
        if offered:
            self.hand_over.add(row)
        return row

    def add_many(self, lane: int) -> None:
        for _ in range(Limits().of_lane):
            self.add(lane)

    def finish_next(self) -> None:
        """Finish the oldest row that was handed over, if there is one."""
        if self.done < len(self.handed):
            self.finish(self.handed[self.done])
            self.done += 1

    def finish(self, row: Row) -> None:
        self.rows.remove(row)
        self.hand_over.remove([row.row])

    async def settle(self) -> None:
        await eventually(lambda: not self.hand_over.is_busy)


async def test_backlog_comes_before_news() -> None:
    """What waited is handed over before what comes in meanwhile."""
    shelf = Shelf()
    old = [shelf.add(1, offered=False) for _ in range(3)]

    shelf.hand_over.start()
    new = shelf.add(1)
    await shelf.settle()

    assert shelf.handed == [*old, new]
    await shelf.hand_over.stop()


async def test_window_is_refilled() -> None:
    """However many wait, each is handed over once, as others are done."""
    shelf = Shelf()
    rows = [shelf.add(place % 100, offered=False) for place in range(1000)]
    shelf.hand_over.start()

    while shelf.rows:
        await shelf.settle()
        assert len(shelf.hand_over.in_flight.rows) <= Limits().at_work
        shelf.finish_next()

    assert shelf.handed == rows
    await shelf.hand_over.stop()


async def test_waiting_chats_do_not_fill_the_window() -> None:
    """Chats in trouble with all the rows they may have leave room for the others."""
    shelf = Shelf()
    troubled = range(20)
    for lane in troubled:
        for _ in range(Limits().of_lane * 2):
            shelf.add(lane, offered=False)
    last = shelf.add(99, offered=False)
    shelf.hand_over.start()

    while last not in shelf.handed:
        await shelf.settle()
        for row in shelf.handed:
            shelf.hand_over.in_flight.rest(row.row)
        shelf.hand_over.reload()

    counts = [sum(row.lane == lane for row in shelf.handed) for lane in troubled]
    assert max(counts) == Limits().of_lane
    await shelf.hand_over.stop()


async def test_failed_read_is_tried_again(autojump_clock: AutojumpClock) -> None:
    """When the database is back, what waits is handed over."""
    shelf = Shelf(failures=3)
    row = shelf.add(1, offered=False)

    shelf.hand_over.start()
    await eventually(lambda: shelf.handed == [row])

    await shelf.hand_over.stop()


async def test_without_worker_nothing_is_handed_over() -> None:
    """Rows offered to a closed desk wait in the database."""
    shelf = Shelf()

    shelf.add(1)

    assert shelf.handed == []


async def test_row_finished_while_read_is_not_handed_over() -> None:
    """An echo found to be our own while it is on its way from the database goes nowhere."""
    shelf = Shelf()
    own = shelf.add(1, offered=False)
    other = shelf.add(1, offered=False)
    shelf.hand_over.start()
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # it has been read, but not handed over

    shelf.finish(own)
    await shelf.settle()

    assert shelf.handed == [other]
    await shelf.hand_over.stop()


async def test_row_that_a_read_has_missed_is_handed_over() -> None:
    """What is stored while others are read comes when there is room."""
    shelf = Shelf()
    count = Limits().at_work - 10
    for place in range(count):
        shelf.add(place, offered=False)

    def store_one_at_last() -> None:
        if len(shelf.handed) > count - PIECE and shelf.newest == count:
            shelf.add(1000)

    shelf.after_read = store_one_at_last
    shelf.hand_over.start()
    while shelf.rows:
        await shelf.settle()
        shelf.finish_next()

    assert shelf.handed[-1].lane == 1000
    await shelf.hand_over.stop()


async def test_row_that_is_read_and_offered_is_handed_over_once() -> None:
    """A row may be read from the database before those who stored it come to offer it."""
    shelf = Shelf()
    for _ in range(Limits().of_lane * 2):
        shelf.add(1, offered=False)
    shelf.hand_over.start()
    await shelf.settle()
    fresh: list[Row] = []

    def store_one() -> None:
        if not fresh:
            fresh.append(shelf.add(2, offered=False))

    shelf.before_read = store_one
    shelf.after_read = lambda: shelf.hand_over.add(fresh[0])

    while shelf.rows:
        shelf.finish_next()
        await shelf.settle()

    assert shelf.handed.count(fresh[0]) == 1
    await shelf.hand_over.stop()


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["add", "add many", "finish", "turn", "again"]), st.integers(0, 4)
        ),
        max_size=60,
    ),
    backlog=st.integers(0, 2 * PIECE),
)
async def test_any_history_hands_over_each_row_once(
    steps: list[tuple[str, int]], backlog: int
) -> None:
    """Each row is handed over once, in the order of its lane, whatever happens when."""
    shelf = Shelf()
    for place in range(backlog):
        shelf.add(place % 5, offered=False)
    shelf.hand_over.start()
    for step, lane in steps:
        match step:
            case "add":
                shelf.add(lane)
            case "add many":
                shelf.add_many(lane)
            case "finish":
                shelf.finish_next()
            case "again":
                shelf.hand_over.reload()
            case _:
                await asyncio.sleep(0)
    while shelf.rows:
        await shelf.settle()
        shelf.finish_next()

    await shelf.hand_over.stop()
    assert len(shelf.handed) == len(set(shelf.handed)) == shelf.newest
    by_lane = sorted(shelf.handed, key=lambda row: row.lane)  # stable
    assert by_lane == sorted(shelf.handed, key=lambda row: (row.lane, row.row))


@given(steps=st.lists(st.tuples(st.sampled_from("arx"), st.integers(0, 3)), max_size=60))
def test_window_counts_what_is_at_work(steps: list[tuple[str, int]]) -> None:
    """There is room until the limit is reached by rows whose lanes do not rest."""
    window = InFlight(Limits(of_lane=3, at_work=4, in_all=8))
    held: list[Row] = []
    resting: set[int] = set()

    for place, (step, lane) in enumerate(steps):
        if step == "a" and window.takes(lane):
            held.append(Row(place, lane))
            window.add(place, lane)
        elif step == "r" and any(row.lane == lane for row in held):
            window.rest(next(row.row for row in held if row.lane == lane))
            resting.add(lane)
        elif step == "x" and any(row.lane == lane for row in held):
            row = next(row for row in held if row.lane == lane)
            held.remove(row)
            window.remove(row.row)
            resting.discard(lane)
        busy = sum(row.lane not in resting for row in held)
        assert window.has_room == (busy < 4 and len(held) < 8)
        assert window.rows == {row.row: row.lane for row in held}
