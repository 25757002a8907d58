"""Runs units of work, which are plain functions of a connection, on either database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from supervisor.database.engines import (
    READERS,
    reading_engine,
    reading_sqlite_engine,
    writing_engine,
    writing_sqlite_engine,
)
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

Answer = TypeVar("Answer")


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


def open_writer(url: URL, patience: float | None = None) -> Transactor:
    """Open a transactor; a server ends its transactions when they pause for `patience` seconds."""
    if url.get_backend_name() == "sqlite":
        return ThreadTransactor(writing_sqlite_engine(url), "database writer", threads=1)
    return GreenletTransactor(writing_engine(url, patience))


def open_reader(url: URL) -> Transactor:
    """Open a transactor whose units see the newest commit and cannot write."""
    if url.get_backend_name() == "sqlite":
        return ThreadTransactor(reading_sqlite_engine(url), "database reader", threads=READERS)
    return GreenletTransactor(reading_engine(url))


class GreenletTransactor:
    """For a server: the unit is suspended while a statement is on its way."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.engine = engine.sync_engine

    async def transact(self, unit: Callable[[Connection], Answer]) -> Answer:
        async with self._engine.begin() as connection:
            return await connection.run_sync(unit)

    async def dispose(self) -> None:
        await self._engine.dispose()


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
