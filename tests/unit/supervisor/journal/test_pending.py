"""How many messages wait, and how many are dead letters."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from session_worker.protocol.messages import Deliver, Failed, Failure, Send, Trying
from supervisor.database import tables
from supervisor.journal.values import ByDirection
from tests.unit.supervisor.rows import NUMBER, received

if TYPE_CHECKING:
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


async def test_counting_reads_only_an_index(store: Store) -> None:
    """Dead letters are counted in an index that holds nothing else, however long the journal is."""
    query = "SELECT number, direction, count(*) FROM journal WHERE (state = 'dead' AND dismissed IS NULL) GROUP BY number, direction"

    def plan(connection: Connection) -> str:
        if connection.dialect.name == "sqlite":
            return str(connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        return str(connection.execute(text(f"EXPLAIN {query}")).all())

    assert "journal_dead" in await store.database.read(plan)


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
