"""Runs units of work, which are plain functions of a connection, on either database."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakSet

from sqlalchemy import event

from supervisor.database.engines import (
    READERS,
    reading_engine,
    reading_sqlite_engine,
    writing_engine,
    writing_sqlite_engine,
)
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

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

    A connection may fall silent without an end, and whatever is asked in order to close it would
    wait as well. A unit that takes too long therefore loses its connection by force.
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
                # Nobody has cancelled us: it comes from within the driver, and would end the
                # tasks of the gateway that live as long as it does.
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
            # It waits for a connection that is being tested, which is one that nobody works with.
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
