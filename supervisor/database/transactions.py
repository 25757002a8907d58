"""Runs units of work, which are plain functions of a connection, on either database, and the statements that both understand."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from weakref import WeakSet

from sqlalchemy import case, event
from sqlalchemy.dialects import postgresql, sqlite

from supervisor.database.engines import (
    READERS,
    reading_engine,
    reading_sqlite_engine,
    writing_engine,
    writing_sqlite_engine,
)
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import URL, Column, Connection, Engine, Row, Table
    from sqlalchemy.ext.asyncio import AsyncEngine

    Rows = Sequence[Mapping[str, Any]]


Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class Transactor(Protocol):
    """Runs each unit of work in a transaction of its own.

    A unit returns values and never a cursor, because the transaction is over when it has returned.
    """

    @property
    def engine(self) -> Engine: ...

    async def transact(self, unit: Callable[[Connection], Answer]) -> Answer:
        """Commit when the unit has returned, roll back if it raises."""
        ...

    async def dispose(self) -> None:
        """Close the connections; no unit can be run after that."""
        ...


LIMIT = 30.0  # seconds for one unit of work on a server
PARTING = 3.0  # seconds for closing connections in order


def open_writer(url: URL, limit: float | None = LIMIT, patience: float | None = None) -> Transactor:
    """Open a transactor whose units may change everything; the limit holds on a server."""
    if url.get_backend_name() == "sqlite":
        return ThreadTransactor(writing_sqlite_engine(url), "database writer", threads=1)
    return GreenletTransactor(writing_engine(url, patience), limit)


def open_reader(url: URL, limit: float | None = LIMIT) -> Transactor:
    """Open a transactor whose units see the newest commit and cannot write."""
    if url.get_backend_name() == "sqlite":
        return ThreadTransactor(reading_sqlite_engine(url), "database reader", threads=READERS)
    return GreenletTransactor(reading_engine(url), limit)


class GreenletTransactor:
    """For a server: the unit is suspended while a statement is on its way.

    A connection may fall silent without being closed, and closing it in order would wait for the
    server as well. The connection of a unit that takes too long is therefore ended by force.
    """

    def __init__(self, engine: AsyncEngine, limit: float | None) -> None:
        self._engine = engine
        self._limit = limit
        self._connections: WeakSet[Any] = WeakSet()
        self._at_work: set[_Work] = set()
        self.engine = engine.sync_engine
        event.listen(self.engine, "connect", self._remember)

    async def transact(self, unit: Callable[[Connection], Answer]) -> Answer:
        with self._limited() as work:
            try:
                async with self._engine.begin() as connection:
                    raw = await connection.get_raw_connection()
                    work.connection = raw.driver_connection
                    return await connection.run_sync(unit)
            except asyncio.CancelledError as exc:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Nobody has cancelled us: the driver raises this, and it would end tasks that
                # have to run for as long as the gateway does.
                raise DatabaseUnavailable("the connection was given up") from exc

    async def dispose(self) -> None:
        forcing = asyncio.get_running_loop().call_later(PARTING, self._abort, self._connections)
        try:
            await self._engine.dispose()
        finally:
            forcing.cancel()

    @contextmanager
    def _limited(self) -> Iterator[_Work]:
        work = _Work()
        self._at_work.add(work)
        timer = None
        if self._limit is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(self._limit, self._give_up, work)
        try:
            yield work
        finally:
            self._at_work.discard(work)
            if timer is not None:
                timer.cancel()

    def _give_up(self, work: _Work) -> None:
        logger.warning("the database has not answered for %s s: a connection is ended", self._limit)
        if work.connection is not None:
            self._abort([work.connection])
        else:
            # The unit waits for a connection that the pool is testing; nobody works with that one.
            busy = [each.connection for each in self._at_work]
            self._abort(each for each in self._connections if each not in busy)

    def _remember(self, connection: Any, _record: object) -> None:
        self._connections.add(connection.driver_connection)

    @staticmethod
    def _abort(connections: Iterable[Any]) -> None:
        for connection in list(connections):
            connection.terminate()


@dataclass(eq=False, slots=True)
class _Work:
    """A unit that is being run, and the connection that it has been given."""

    connection: Any = None


class ThreadTransactor:
    """For SQLite: a thread runs all statements of a unit without a pause.

    Changing threads for each statement, as aiosqlite does, would double the processor time of a
    message and would make the numbers next to a flooded one wait three times as long.
    """

    def __init__(self, engine: Engine, name: str, *, threads: int) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._is_closed = False

    async def transact(self, unit: Callable[[Connection], Answer]) -> Answer:
        """Run the unit in a thread, which finishes it even if the caller is cancelled meanwhile."""
        if self._is_closed:
            raise DatabaseUnavailable("the gateway is closing")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._transact, unit)

    async def dispose(self) -> None:
        self._is_closed = True
        await asyncio.to_thread(self._close)

    def _transact(self, unit: Callable[[Connection], Answer]) -> Answer:
        with self.engine.begin() as connection:
            return unit(connection)

    def _close(self) -> None:
        # Units whose callers were cancelled may still be running; they must not outlive the loop.
        self._threads.shutdown(wait=True)
        self.engine.dispose()


def upsert(connection: Connection, table: Table, rows: Rows, keep: Collection[str] = ()) -> None:
    """Insert rows that have the same columns, or overwrite the rows with the same primary keys.

    The columns in `keep` are set in new rows only.
    """
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, (*rows[0],), (*keep,)), rows)


def upsert_counting(
    connection: Connection, table: Table, rows: Rows, name: str, keep: Collection[str] = ()
) -> None:
    """Like `upsert`, but add the value of this column to the one that is stored."""
    if rows:
        dialect = connection.dialect.name
        connection.execute(_upsert(dialect, table, (*rows[0],), (*keep,), counted=name), rows)


def upsert_newest(connection: Connection, table: Table, rows: Rows, name: str) -> None:
    """Like `upsert`, but never lower the value of this column."""
    connection.execute(_upsert_newest(connection.dialect.name, table, name), rows)


def insert_missing(connection: Connection, table: Table, rows: Rows | Mapping[str, Any]) -> None:
    if rows:
        connection.execute(_insert_missing(connection.dialect.name, table), rows)


def insert_missing_returning(
    connection: Connection, table: Table, rows: Rows, columns: Sequence[Column[Any]]
) -> Sequence[Row[Any]]:
    """Return the inserted rows; a row that conflicts with an earlier one is left out."""
    insert = _insert_missing_returning(connection.dialect.name, table, (*columns,))
    return connection.execute(insert, rows).all()


# Building a statement costs as much as executing it, so each is built once.
@cache
def _upsert(
    dialect: str, table: Table, names: tuple[str, ...], keep: tuple[str, ...], counted: str = ""
) -> Any:
    insert = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    new = {name: insert.excluded[name] for name in names if name not in {*keys, *keep}}
    if counted:
        new[counted] = table.c[counted] + insert.excluded[counted]
    return insert.on_conflict_do_update(index_elements=keys, set_=new)


@cache
def _upsert_newest(dialect: str, table: Table, name: str) -> Any:
    insert = _insert(dialect, table)
    known, new = table.c[name], insert.excluded[name]
    newest = case((new > known, new), else_=known)
    keys = [column.name for column in table.primary_key]
    return insert.on_conflict_do_update(index_elements=keys, set_={name: newest})


@cache
def _insert_missing(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _insert_missing_returning(dialect: str, table: Table, columns: tuple[Column[Any], ...]) -> Any:
    return _insert_missing(dialect, table).returning(*columns)


def _insert(dialect: str, table: Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


Value = TypeVar("Value")

# SQLite allows 32 766 parameters and PostgreSQL 32 767. With shorter statements, other callers also
# wait for less time.
MOST_VALUES: Final = 5000


def pieces(values: Iterable[Value], most: int = MOST_VALUES) -> Iterator[list[Value]]:
    """Split the values into lists of at most `most`; without values there is no list."""
    all_values = list(values)
    for start in range(0, len(all_values), most):
        yield all_values[start : start + most]
