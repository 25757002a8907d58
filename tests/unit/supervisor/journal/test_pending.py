"""How many messages wait, and how many are dead letters."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text, update

from session_worker.protocol.messages import Deliver, Failed, Failure, ReadByContact, Send, Trying
from supervisor.database import tables
from supervisor.database.tables import Direction, RowState
from supervisor.journal.browsing import Selection
from supervisor.journal.values import ByDirection
from tests.unit.supervisor.rows import NUMBER, received

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection

    from supervisor.store.store import Store
    from tests.unit.supervisor.conftest import RecordedDispatcher


async def test_dead_letters_are_counted_beside_the_backlog(recorded: RecordedDispatcher) -> None:
    """What waits and what is dead is counted each way, with the time since which the oldest waits."""
    await recorded.say(*(received(message, peer_id=message) for message in (1, 2, 3)))
    written = await recorded.write("9", peer_id=9)
    rows = sorted(entry.id for entry in await recorded.entries())
    await recorded.say(*(Failed(row=row, failure=Failure(code="GONE")) for row in rows[1:]))

    counts = (await recorded.store.journals.counts([NUMBER]))[NUMBER]

    assert counts.backlog == ByDirection(into=1)
    assert counts.dead == ByDirection(into=2, out=1)
    assert counts.oldest_waiting is not None
    assert counts.oldest_waiting <= datetime.now(UTC)
    assert written.row in rows


async def test_numbers_without_messages_are_left_out(store: Store) -> None:
    """A number without waiting messages and dead letters has no entry; nor has one that is not asked for."""
    assert await store.journals.counts() == {}
    assert await store.journals.counts(["79990000000"]) == {}


async def test_counting_reads_only_indexes(store: Store) -> None:
    """What waits and what is dead is counted in indexes that hold nothing else, however long the journal is."""
    plans = await plans_of(store, store.journals.counts)
    plans += await plans_of(store, lambda: store.journals.counts([NUMBER]))

    used = ["journal_pending", "journal_dead", "journal_pending", "journal_dead"]
    assert [name for plan, name in zip(plans, used, strict=True) if name not in plan] == []


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (Selection(), "journal_newest"),
        (Selection(direction=Direction.OUT, state=RowState.DELIVERED), "journal_newest"),
        (Selection(state=RowState.DEAD), "journal_dead"),
        (Selection(state=RowState.PENDING), "journal_pending"),
        (Selection(before=1000), "journal_"),
    ],
    ids=["all", "delivered", "dead", "pending", "older"],
)
async def test_listing_reads_only_what_it_shows(
    store: Store, selection: Selection, index: str
) -> None:
    """The newest messages of a number are found without reading, or sorting, all that it ever had."""
    journal = await store.journals.open(NUMBER)

    listing, *_ = await plans_of(store, lambda: journal.list(selection))

    assert index in listing
    is_sorted = "TEMP B-TREE" in listing or "Sort" in listing
    assert is_sorted == (index in {"journal_dead", "journal_pending"})  # these are few


async def test_receipt_reads_only_what_is_unread(recorded: RecordedDispatcher) -> None:
    """However long a chat is, a read receipt looks only at the messages that were not read before."""
    receipt = ReadByContact(positions=(1,), peer_id=1, up_to=5)
    store = recorded.store

    [marking] = await plans_of(store, lambda: recorded.say(receipt), "UPDATE journal")

    assert "journal_unread" in marking


async def plans_of(
    store: Store, act: Callable[[], Awaitable[object]], of: str = "FROM journal"
) -> list[str]:
    """Return how the database finds what it is asked for, or is to change, question by question."""
    asked: list[tuple[str, Any]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        asked.append((statement, parameters))

    database = store.database
    for access in (database._reading, database._writing):
        event.listen(access.engine, "before_cursor_execute", note)
    await act()
    for access in (database._reading, database._writing):
        event.remove(access.engine, "before_cursor_execute", note)
    questions = [each for each in asked if of in each[0]]

    def explain(connection: Connection) -> list[str]:
        is_file = connection.dialect.name == "sqlite"
        if not is_file:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        how = "EXPLAIN QUERY PLAN" if is_file else "EXPLAIN"
        return [
            str(connection.exec_driver_sql(f"{how} {statement}", parameters).all())
            for statement, parameters in questions
        ]

    return await store.database.write(explain)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_wrong_clock_of_another_machine_lengthens_no_pause(
    recorded: RecordedDispatcher, hours: int
) -> None:
    """What a machine with a wrong clock has put off waits no longer at the next one than it wanted."""
    pause, offset = 30.0, timedelta(hours=hours)
    await recorded.say(received(1))
    into = recorded.told_of(Deliver)[0].row
    out = (await recorded.write("m1")).row
    await _put_off_elsewhere(recorded, (into, out), pause, offset)

    await recorded.reopen()

    for told in (recorded.told_of(Deliver)[-1], recorded.told_of(Send)[-1]):
        assert told.next_try <= time.time() + pause


async def test_wrong_clock_is_forgotten_with_the_next_try(recorded: RecordedDispatcher) -> None:
    """A worker that dies while it tries what a machine with a wrong clock has put off leaves it due at once."""
    await recorded.say(received(1))
    into = recorded.told_of(Deliver)[0].row
    out = (await recorded.write("m1")).row
    await _put_off_elsewhere(recorded, (into, out), 30.0, timedelta(hours=1))
    await recorded.reopen()
    for row in (into, out):
        await recorded.say(Trying(row=row))

    await recorded.reopen()

    for told in (recorded.told_of(Deliver)[-1], recorded.told_of(Send)[-1]):
        assert told.next_try <= time.time()


async def _put_off_elsewhere(
    recorded: RecordedDispatcher, rows: tuple[int, int], pause: float, offset: timedelta
) -> None:
    """Let both rows fail for now at a machine whose clock is wrong by the offset."""
    later = Failure(code="FLOOD_WAIT", next_try=time.time() + pause + offset.total_seconds())
    for row in rows:
        await recorded.say(Trying(row=row), Failed(row=row, failure=later))

    def be_of_that_machine(connection: Connection) -> None:
        tried = datetime.now(UTC) + offset
        connection.execute(update(tables.journal).values(tried=tried))

    await recorded.store.database.write(be_of_that_machine)
