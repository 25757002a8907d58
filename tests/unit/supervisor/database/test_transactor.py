"""Whole transactions, whatever the database."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from supervisor.database.engines import database_url
from supervisor.database.writer import Transactor, open_transactor

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

INSERT = text("INSERT INTO thing (id) VALUES (:id)")


async def ids(transactor: Transactor) -> list[int]:
    async def work(connection: AsyncConnection) -> list[int]:
        return list(await connection.scalars(text("SELECT id FROM thing ORDER BY id")))

    return await transactor.transact(work)


async def test_work_that_raises_leaves_nothing(transactor: Transactor) -> None:
    """What was written before the failure is rolled back, the next transaction is not disturbed."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(INSERT, {"id": 1})
        raise LookupError

    with pytest.raises(LookupError):
        await transactor.transact(work)

    await transactor.transact(lambda connection: connection.execute(INSERT, {"id": 2}))
    assert await ids(transactor) == [2]


async def test_savepoint_takes_back_only_its_own(transactor: Transactor) -> None:
    """A failure within a savepoint leaves what was written around it."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(INSERT, {"id": 1})
        with suppress(IntegrityError):
            async with connection.begin_nested():
                await connection.execute(INSERT, {"id": 2})
                await connection.execute(INSERT, {"id": 1})
        await connection.execute(INSERT, {"id": 3})

    await transactor.transact(work)

    assert await ids(transactor) == [1, 3]


async def test_sqlite_works_beside_the_event_loop(sqlite_url: str) -> None:
    """A slow disk holds up no worker: the whole transaction runs in a thread of its own."""
    transactor = open_transactor(database_url(sqlite_url))

    async def work(connection: AsyncConnection) -> str:
        await connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY)"))
        await connection.execute(INSERT, {"id": 1})
        return threading.current_thread().name

    assert await transactor.transact(work) == "database_0"
    await transactor.dispose()


async def test_sqlite_work_must_not_wait_for_others(sqlite_url: str) -> None:
    """Who awaits something else within a transaction is told, the connection stays usable."""
    transactor = open_transactor(database_url(sqlite_url))

    with pytest.raises(RuntimeError, match="await nothing but its connection"):
        await transactor.transact(lambda _: asyncio.sleep(0))

    found = await transactor.transact(lambda connection: connection.execute(text("SELECT 1")))
    assert found.scalar_one() == 1
    await transactor.dispose()
