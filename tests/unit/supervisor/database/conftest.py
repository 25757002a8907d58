"""A writer on each kind of database, with a table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from supervisor.database.engines import database_url as parse
from supervisor.database.transactions import Transactor, open_writer
from supervisor.database.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection


@pytest.fixture
def postgres_url(empty_postgres_url: str) -> str:
    return empty_postgres_url


@pytest.fixture
def sqlite_url(empty_sqlite_url: str) -> str:
    return empty_sqlite_url


@pytest.fixture
async def transactor(database_url: str) -> AsyncIterator[Transactor]:
    transactor = open_writer(parse(database_url))
    await transactor.transact(create_table)
    yield transactor
    await transactor.dispose()


@pytest.fixture
async def writer(transactor: Transactor) -> AsyncIterator[Writer]:
    writer = Writer(transactor)
    writer.start()
    yield writer
    await writer.stop()


def create_table(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY)"))
