"""The gateway's database as the store sees it: many readers, one writer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import exc as sql_errors
from sqlalchemy import inspect

from supervisor.database.engines import (
    database_url,
    locking_engine,
    make_private_file,
    reading_engine,
)
from supervisor.database.migration import migrate
from supervisor.database.outage import is_outage
from supervisor.database.writer import Writer, open_transactor
from supervisor.errors import DatabaseRefused, DatabaseUnavailable
from supervisor.ownership.database_lock import DatabaseLock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Database:
    """Reads go to their own connections, writes through the one writer."""

    def __init__(self, url: str) -> None:
        self._url = database_url(url)
        self._reading = reading_engine(self._url)
        self._writing = open_transactor(self._url)
        self._writer = Writer(self._writing)

    async def start(self) -> None:
        """Bring the tables up to date, then take writes."""
        with _translated():
            await migrate(self._writing)
        self._writer.start()

    async def stop(self) -> None:
        await self._writer.stop()
        await self._writing.dispose()
        await self._reading.dispose()

    def lock(self) -> DatabaseLock | None:
        """Make what keeps gateways with another DATA_DIR away; an SQLite file lies in one."""
        if self._url.get_backend_name() == "sqlite":
            return None
        return DatabaseLock(locking_engine(self._url))

    async def has_table(self, name: str) -> bool:
        with _translated():
            await asyncio.to_thread(make_private_file, self._url)
        async with self.read() as connection:
            return await connection.run_sync(lambda sync: inspect(sync).has_table(name))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with _translated():
            async with self._reading.connect() as connection:
                yield connection

    async def write(self, unit: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        """See `Writer.run`."""
        with _translated():
            return await self._writer.run(unit)

    async def write_together(
        self,
        handler: Callable[[AsyncConnection, list[Item]], Awaitable[Sequence[Answer]]],
        item: Item,
    ) -> Answer:
        """See `Writer.together`."""
        with _translated():
            return await self._writer.together(handler, item)


@contextmanager
def _translated() -> Iterator[None]:
    """Tell trouble with the database as such from trouble with one statement or its values.

    The detail of the latter is a name alone: the words of a database may quote the values.
    """
    try:
        yield
    except sql_errors.StatementError as exc:
        if is_outage(exc):
            raise DatabaseUnavailable(str(exc.orig)) from exc
        raise DatabaseRefused(type(exc.orig).__name__) from exc
    except (OverflowError, UnicodeError) as exc:  # SQLite's driver takes no such number or text
        raise DatabaseRefused(type(exc).__name__) from exc
    except (sql_errors.TimeoutError, sql_errors.PendingRollbackError, OSError) as exc:
        raise DatabaseUnavailable(type(exc).__name__) from exc
