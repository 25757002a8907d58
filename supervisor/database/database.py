"""The gateway's database as the store sees it: many readers, one writer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import inspect, text

from supervisor.database.access import Access
from supervisor.database.engines import (
    database_url,
    locking_engine,
    make_private_file,
    reading_engine,
)
from supervisor.database.migration import migrate
from supervisor.database.writer import Writer, open_transactor
from supervisor.ownership.database_lock import DatabaseLock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

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
        self._reads, self._writes = Access("read"), Access("written")

    async def start(self) -> None:
        """Bring the tables up to date, then take writes."""
        with self._writes.watched():
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
        with self._reads.watched():
            await asyncio.to_thread(make_private_file, self._url)
        async with self.read() as connection:
            return await connection.run_sync(lambda sync: inspect(sync).has_table(name))

    async def ping(self) -> None:
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with self._reads.watched():
            async with self._reading.connect() as connection:
                yield connection

    async def write(self, unit: Callable[[AsyncConnection], Awaitable[Answer]]) -> Answer:
        """See `Writer.run`."""
        with self._writes.watched():
            return await self._writer.run(unit)

    async def write_together(
        self,
        handler: Callable[[AsyncConnection, list[Item]], Awaitable[Sequence[Answer]]],
        item: Item,
    ) -> Answer:
        """See `Writer.together`."""
        with self._writes.watched():
            return await self._writer.together(handler, item)
