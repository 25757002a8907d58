"""A PostgreSQL behind a network that falls silent: its connections are given up, and work goes on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import make_url, text

from supervisor.database.database import Database
from supervisor.database.engines import READERS
from supervisor.database.transactions import Transactor
from supervisor.database.writer import Writer
from supervisor.errors import DatabaseError, DatabaseUnavailable
from tests.support.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy import Connection, Engine

LIMIT = 2.0  # seconds


@asynccontextmanager
async def behind_relay(postgres_url: str) -> AsyncIterator[tuple[Database, Relay]]:
    url = make_url(postgres_url)
    folder = str(url.query["host"])
    async with Relay(folder, 5432) as relay:
        # Without TLS, for which asyncpg would look for certificates in the developer's files.
        place = url.set(host="127.0.0.1", port=relay.port, query={"ssl": "disable"})
        database = Database(place.render_as_string(hide_password=False), limit=LIMIT)
        await database.start()
        await database.write(run("CREATE TABLE thing (id INTEGER PRIMARY KEY)"))
        yield database, relay
        await database.stop()


def run(statement: str) -> Callable[[Connection], None]:
    def unit(connection: Connection) -> None:
        connection.execute(text(statement))

    return unit


async def insert(database: Database, number: int) -> None:
    await database.write(run(f"INSERT INTO thing VALUES ({number})"))


async def count(database: Database) -> int:
    [[found]] = await database.fetch(text("SELECT count(*) FROM thing"))
    return int(found)


async def test_silent_connections_are_given_up(postgres_url: str) -> None:
    """Writing and reading end with an error while nothing answers, and succeed once something does."""
    async with behind_relay(postgres_url) as (database, relay):
        await insert(database, 1)
        await asyncio.gather(*(count(database) for _ in range(READERS)))

        relay.silence()
        tries = [insert(database, 2), *(count(database) for _ in range(2 * READERS))]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert all(isinstance(outcome, DatabaseUnavailable) for outcome in outcomes), outcomes

        await relay.mend()
        await _until_written(database, 3)
        assert await count(database) >= 2


async def test_connection_silent_in_the_middle_is_given_up(postgres_url: str) -> None:
    """What was written before the silence is rolled back, and the next transaction is not disturbed."""
    async with behind_relay(postgres_url) as (database, relay):

        def unit(connection: Connection) -> None:
            connection.execute(text("INSERT INTO thing VALUES (1)"))
            relay.silence()
            connection.execute(text("INSERT INTO thing VALUES (2)"))

        with pytest.raises(DatabaseUnavailable):
            await database.write(unit)

        await relay.mend()
        await _until_written(database, 3)
        rows = await database.fetch(text("SELECT id FROM thing ORDER BY id"))
        assert [row.id for row in rows] == [3]


async def test_silent_server_does_not_hold_the_end_up(postgres_url: str) -> None:
    """Closing the database ends although nobody says goodbye."""
    async with behind_relay(postgres_url) as (database, relay):
        await insert(database, 1)
        relay.silence()


class CancelledWithin(Transactor):
    """A transactor whose driver gives up once by cancelling what waits for it."""

    engine: Engine

    def __init__(self) -> None:
        self._is_healed = False

    async def transact(self, unit: Callable[[Any], Any]) -> Any:
        if not self._is_healed:
            self._is_healed = True
            raise asyncio.CancelledError
        return unit(None)

    async def dispose(self) -> None: ...


async def test_writer_survives_the_driver() -> None:
    """A cancellation that nobody asked for fails one batch; the writer goes on."""
    writer = Writer(CancelledWithin())
    writer.start()

    with pytest.raises(DatabaseUnavailable):
        await writer.run(lambda _connection: 1)

    assert await writer.run(lambda _connection: 2) == 2
    await writer.stop()


async def _until_written(database: Database, number: int) -> None:
    """Write until it succeeds, as everybody in the gateway does who must not lose anything."""
    while True:
        try:
            return await insert(database, number)
        except DatabaseError:
            await asyncio.sleep(0.05)
