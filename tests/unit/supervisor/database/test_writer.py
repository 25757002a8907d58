"""The group-committing writer, on both databases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from supervisor.database.engines import database_url as parse
from supervisor.database.transactions import open_reader
from supervisor.database.writer import Turns, Writer
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from supervisor.database.transactions import Transactor


class Refused(Exception):
    """A unit that says no."""


def adding(thing: int, error: Exception | None = None) -> Callable[..., int]:
    def unit(connection: Connection) -> int:
        connection.execute(text("INSERT INTO thing VALUES (:id)"), {"id": thing})
        if error is not None:
            raise error
        return thing

    return unit


async def stored(url: str) -> set[int]:
    """Look from a connection of its own, which sees only what is committed."""
    reader = open_reader(parse(url))
    found = await reader.transact(
        lambda connection: set(connection.scalars(text("SELECT id FROM thing")))
    )
    await reader.dispose()
    return found


async def test_answer_comes_after_the_commit(writer: Writer, database_url: str) -> None:
    """What a caller was told is there for everyone."""
    answer = await writer.run(adding(1))

    assert answer == 1
    assert await stored(database_url) == {1}


async def test_callers_share_commits(writer: Writer, transactor: Transactor) -> None:
    """A thousand writes that come together need a handful of commits."""
    commits: list[object] = []
    event.listen(transactor.engine, "commit", commits.append)

    answers = await asyncio.gather(*(writer.run(adding(thing)) for thing in range(1000)))

    assert answers == list(range(1000))
    assert len(commits) <= 5


@settings(max_examples=20)
@given(units=st.lists(st.sampled_from(["good", "refused", "broken"]), max_size=12))
async def test_failing_unit_fails_alone(
    writer: Writer, transactor: Transactor, database_url: str, units: list[str]
) -> None:
    """Whichever units fail, by our word or the database's, the others are stored."""
    await writer.run(empty)
    made = {
        "good": adding,
        "refused": lambda place: adding(place, Refused()),
        "broken": twice,
    }

    outcomes = await asyncio.gather(
        *(writer.run(made[kind](place)) for place, kind in enumerate(units)),
        return_exceptions=True,
    )

    expected = {"good": int, "refused": Refused, "broken": IntegrityError}
    assert [type(outcome) for outcome in outcomes] == [expected[kind] for kind in units]
    good = {place for place, kind in enumerate(units) if kind == "good"}
    assert await stored(database_url) == good


async def test_items_come_together(writer: Writer, database_url: str) -> None:
    """One call of a handler takes all items that wait, each caller getting its own answer."""
    calls: list[int] = []

    def add_all(connection: Connection, items: list[int]) -> list[int]:
        calls.append(len(items))
        rows = [{"id": item} for item in items]
        connection.execute(text("INSERT INTO thing VALUES (:id)"), rows)
        return [item * 10 for item in items]

    answers = await asyncio.gather(*(writer.together(add_all, item) for item in range(100)))

    assert answers == [item * 10 for item in range(100)]
    assert len(calls) <= 2
    assert await stored(database_url) == set(range(100))


async def test_bad_item_fails_alone(writer: Writer, database_url: str) -> None:
    """An item that breaks the handler's statement does not harm those that came with it."""
    await writer.run(adding(5))

    def add_all(connection: Connection, items: list[int]) -> list[int]:
        rows = [{"id": item} for item in items]
        connection.execute(text("INSERT INTO thing VALUES (:id)"), rows)
        return items

    outcomes = await asyncio.gather(
        *(writer.together(add_all, item) for item in range(10)), return_exceptions=True
    )

    assert [place for place, one in enumerate(outcomes) if isinstance(one, IntegrityError)] == [5]
    assert await stored(database_url) == set(range(10))


async def test_stop_finishes_what_was_handed_in(writer: Writer, database_url: str) -> None:
    """Nothing accepted is lost at the end; nothing is accepted after it."""
    accepted = [asyncio.create_task(writer.run(adding(thing))) for thing in range(1200)]
    await asyncio.sleep(0)

    await writer.stop()

    await asyncio.gather(*accepted)
    assert len(await stored(database_url)) == 1200
    with pytest.raises(DatabaseUnavailable):
        await writer.run(adding(9999))


async def test_caller_that_leaves_harms_nobody(writer: Writer, database_url: str) -> None:
    """A cancelled caller's neighbours are stored."""
    tasks = [asyncio.create_task(writer.run(adding(thing))) for thing in range(3)]
    await asyncio.sleep(0)

    tasks[1].cancel()

    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[1], asyncio.CancelledError)
    assert await stored(database_url) >= {0, 2}


async def test_failed_commit_is_told_to_all(writer: Writer, transactor: Transactor) -> None:
    """When the commit itself fails nobody is told that he was stored."""

    def fail(_connection: object) -> None:
        raise Refused

    event.listen(transactor.engine, "commit", fail)

    outcomes = await asyncio.gather(
        *(writer.run(adding(thing)) for thing in range(3)), return_exceptions=True
    )

    event.remove(transactor.engine, "commit", fail)
    assert [type(outcome) for outcome in outcomes] == [Refused] * 3
    assert await writer.run(adding(0)) == 0


async def test_reading_connection_can_not_write(transactor: Transactor, database_url: str) -> None:
    """Nothing passes the writer by."""
    reader = open_reader(parse(database_url))

    with pytest.raises(DBAPIError, match=r"read-?only"):
        await reader.transact(adding(1))

    await reader.dispose()
    assert await stored(database_url) == set()


def empty(connection: Connection) -> None:
    connection.execute(text("DELETE FROM thing"))


def twice(thing: int) -> Callable[..., int]:
    def unit(connection: Connection) -> int:
        adding(thing)(connection)
        return adding(thing)(connection)

    return unit


def test_everybody_has_a_turn() -> None:
    """Whoever has one job waits for nobody's hundreds, and what one may have in a batch is limited."""
    turns = Turns(most=10, of_one=4)
    for count in range(100):
        turns.put("flooded", count)
    turns.put("quiet", "one")
    turns.put("", "nobody's")

    batches = [turns.pop() for _ in range(2)]

    assert batches == [[0, "one", "nobody's", 1, 2, 3], [4, 5, 6, 7]]
    assert turns.count("flooded") == 92


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=60), st.integers(1, 9))
def test_turns_keep_the_order_of_each(jobs: list[tuple[str, int]], most: int) -> None:
    """Nothing is lost, and what belongs to one number stays in its order."""
    turns = Turns(most=most, of_one=2)
    for whose, job in jobs:
        turns.put(whose, (whose, job))
    done: list[tuple[str, int]] = []
    while turns:
        batch = turns.pop()
        assert 0 < len(batch) <= most
        done += batch

    for whose in "abc":
        assert [job for job in done if job[0] == whose] == [job for job in jobs if job[0] == whose]


async def test_flood_of_one_number_does_not_hold_others_up(writer: Writer) -> None:
    """A write that comes behind hundreds of another number is done with the first of them."""
    order: list[str] = []

    async def write(whose: str, thing: int) -> None:
        await writer.run(adding(thing), whose)
        order.append(whose)

    await asyncio.gather(*(write("flooded", thing) for thing in range(300)), write("quiet", 999))

    assert order.index("quiet") <= 100


async def test_waiting_jobs_of_one_number_are_limited(transactor: Transactor) -> None:
    """What one number may have in memory is limited; others are not refused."""
    writer = Writer(transactor)
    writer.start()
    flood = [asyncio.ensure_future(writer.run(adding(thing), "flooded")) for thing in range(5001)]
    quiet = asyncio.ensure_future(writer.run(adding(9999), "quiet"))

    outcomes = await asyncio.gather(*flood, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, DatabaseUnavailable)]
    assert len(refused) == 1
    assert await quiet == 9999
    await writer.stop()
