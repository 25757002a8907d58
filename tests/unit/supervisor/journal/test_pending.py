"""How many messages wait, and how many are dead letters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from session_worker.protocol.messages import Failed, Failure
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
