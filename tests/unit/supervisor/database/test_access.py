"""Which trouble with a database passes, with how many words it is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from supervisor.access import Access
from supervisor.database import Database
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

PASSES = {
    "disk full": "53100",
    "too many connections": "53300",
    "shut down": "57P01",
    "starting up": "57P03",
    "no answer in time": "57014",
    "disk failed": "58030",
    "read-only": "25006",
    "deadlock": "40P01",
}
IS_A_BUG = {"no such table": "42P01", "not unique": "23505", "internal": "XX000"}


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = Database(postgres_url)
    await opened.start()
    yield opened
    await opened.stop()


async def fail(database: Database, code: str) -> None:
    """Let the server fail a statement with this code."""

    async def unit(connection: AsyncConnection) -> None:
        await connection.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$"))

    await database.write(unit)


@pytest.mark.parametrize("code", PASSES.values(), ids=PASSES)
async def test_trouble_of_the_server_passes(database: Database, code: str) -> None:
    """What no other statement would mend is waited for."""
    with pytest.raises(DatabaseUnavailable):
        await fail(database, code)


@pytest.mark.parametrize("code", IS_A_BUG.values(), ids=IS_A_BUG)
async def test_trouble_of_a_statement_stays(database: Database, code: str) -> None:
    """What would fail again each time is not waited for."""
    with pytest.raises(DBAPIError):
        await fail(database, code)


def test_trouble_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """However many want the database, the log tells when it was lost, then when it was found."""
    caplog.set_level(logging.INFO)
    access = Access("written")

    for _ in range(200):
        with pytest.raises(DatabaseUnavailable):
            try_in_vain(access)
    for _ in range(200):
        with access.watched():
            pass

    assert [record.getMessage() for record in caplog.records] == [
        "the database can't be written: the disk is full",
        "the database is written again, after 200 failures",
    ]


def try_in_vain(access: Access) -> None:
    with access.watched():
        raise OperationalError("", {}, Exception("the disk is full"))
