"""Whole units of work, whatever the database."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from supervisor.database.engines import database_url as parse
from supervisor.database.transactions import Transactor, open_reader, open_writer
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

INSERT = text("INSERT INTO thing (id) VALUES (:id)")


def ids(connection: Connection) -> list[int]:
    return list(connection.scalars(text("SELECT id FROM thing ORDER BY id")))


def thread_name(connection: Connection) -> str:
    connection.execute(text("SELECT 1"))
    return threading.current_thread().name


async def test_unit_that_raises_leaves_nothing(transactor: Transactor) -> None:
    """What was written before the failure is rolled back, the next unit is not disturbed."""

    def unit(connection: Connection) -> None:
        connection.execute(INSERT, {"id": 1})
        raise LookupError

    with pytest.raises(LookupError):
        await transactor.transact(unit)

    await transactor.transact(lambda connection: connection.execute(INSERT, {"id": 2}))
    assert await transactor.transact(ids) == [2]


async def test_savepoint_takes_back_only_its_own(transactor: Transactor) -> None:
    """A failure within a savepoint leaves what was written around it."""

    def unit(connection: Connection) -> None:
        connection.execute(INSERT, {"id": 1})
        with suppress(IntegrityError), connection.begin_nested():
            connection.execute(INSERT, {"id": 2})
            connection.execute(INSERT, {"id": 1})
        connection.execute(INSERT, {"id": 3})

    await transactor.transact(unit)

    assert await transactor.transact(ids) == [1, 3]


async def test_reader_sees_the_newest_commit(transactor: Transactor, database_url: str) -> None:
    """A connection that has read before sees what was written since."""
    reader = open_reader(parse(database_url))
    assert await reader.transact(ids) == []

    await transactor.transact(lambda connection: connection.execute(INSERT, {"id": 1}))

    assert await reader.transact(ids) == [1]
    await reader.dispose()


async def test_sqlite_works_beside_the_event_loop(sqlite_url: str) -> None:
    """A slow disk holds up no worker: units that write and units that read run in threads."""
    writer, reader = open_writer(parse(sqlite_url)), open_reader(parse(sqlite_url))

    assert await writer.transact(thread_name) == "database writer_0"
    assert await reader.transact(thread_name) == "database reader_0"

    await writer.dispose()
    await reader.dispose()


async def test_sqlite_reads_run_side_by_side(sqlite_url: str) -> None:
    """A slow read does not hold up another one."""
    reader = open_reader(parse(sqlite_url))
    both = threading.Barrier(2, timeout=60)

    def meet(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))
        both.wait()

    await asyncio.gather(reader.transact(meet), reader.transact(meet))

    await reader.dispose()


async def test_closed_transactor_is_an_outage(sqlite_url: str) -> None:
    """A unit that comes after the end is refused like one whose database is away."""
    reader = open_reader(parse(sqlite_url))
    await reader.dispose()

    with pytest.raises(DatabaseUnavailable, match="closing"):
        await reader.transact(thread_name)


def test_cancelled_sqlite_read_complains_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A read whose caller has left ends before the event loop, and leaves no log line and no thread."""
    caplog.set_level(logging.DEBUG, "concurrent")
    has_begun, may_end = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        connection.execute(text("SELECT 1"))
        has_begun.set()
        may_end.wait(60)

    async def leave() -> None:
        reader = open_reader(parse(f"sqlite:///{tmp_path / 'telefix.db'}"))
        reading = asyncio.create_task(reader.transact(slow))
        await asyncio.to_thread(has_begun.wait, 60)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        closing = asyncio.create_task(reader.dispose())
        done, _ = await asyncio.wait({closing}, timeout=0.2)
        assert not done
        may_end.set()
        await closing

    asyncio.run(leave())

    assert caplog.messages == []
    assert not [each for each in threading.enumerate() if each.name.startswith("database")]
