"""The gateway's database: several connections that read, and one writer."""

from __future__ import annotations

import asyncio
from importlib import resources
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import inspect

from supervisor.database.access import Access
from supervisor.database.engines import database_url, locking_engine, make_private_file
from supervisor.database.transactions import open_reader, open_writer
from supervisor.database.writer import Writer
from supervisor.errors import DatabaseTooNew

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Executable
    from sqlalchemy.ext.asyncio import AsyncEngine

    from supervisor.database.transactions import Transactor


Item = TypeVar("Item")
Answer = TypeVar("Answer")
Given = ParamSpec("Given")


class Database:
    """Runs units of work, which are plain functions of a connection.

    On SQLite a unit runs in a thread, so it must not touch what belongs to the event loop. It
    returns values and never a cursor.
    """

    def __init__(self, url: str) -> None:
        self._url = database_url(url)
        self._reading = open_reader(self._url)
        self._writing = open_writer(self._url)
        self._writer = Writer(self._writing)
        self._reads, self._writes = Access("read"), Access("written")

    async def start(self) -> None:
        """Bring the tables up to date, then accept writes."""
        with self._writes.watched():
            await migrate(self._writing)
        self._writer.start()

    async def stop(self) -> None:
        await self._writer.stop()
        await self._writing.dispose()
        await self._reading.dispose()

    def locking_engine(self) -> AsyncEngine | None:
        """Return what a lock on the database needs; an SQLite file needs none.

        The file lies in a DATA_DIR, which has a lock of its own.
        """
        if self._url.get_backend_name() == "sqlite":
            return None
        return locking_engine(self._url)

    async def has_table(self, name: str) -> bool:
        with self._reads.watched():
            await asyncio.to_thread(make_private_file, self._url)
        return await self.read(lambda connection: inspect(connection).has_table(name))

    async def fetch(self, query: Executable) -> Sequence[Any]:
        """Return all rows of a query."""
        return await self.read(lambda connection: connection.execute(query).all())

    async def read(
        self,
        unit: Callable[Concatenate[Connection, Given], Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        """Run a unit that only reads."""
        with self._reads.watched():
            return await self._reading.transact(lambda each: unit(each, *args, **kwargs))

    async def write(
        self,
        unit: Callable[Concatenate[Connection, Given], Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        """See `Writer.run`."""
        with self._writes.watched():
            return await self._writer.run(lambda each: unit(each, *args, **kwargs))

    async def write_together(
        self, handler: Callable[[Connection, list[Item]], Sequence[Answer]], item: Item
    ) -> Answer:
        """See `Writer.together`."""
        with self._writes.watched():
            return await self._writer.together(handler, item)


async def migrate(transactor: Transactor) -> None:
    """Run the missing migrations in one transaction."""
    scripts = await asyncio.to_thread(_load_scripts)
    await transactor.transact(lambda connection: _upgrade(connection, scripts))


def _load_scripts() -> ScriptDirectory:
    scripts = ScriptDirectory(str(resources.files("supervisor") / "migrations"))
    scripts.get_heads()  # reads the files now, in this thread, and not later in the event loop
    return scripts


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> None:
    context = MigrationContext.configure(
        connection, opts={"fn": lambda current, _context: _missing(scripts, current)}
    )
    try:
        with Operations.context(context):
            context.run_migrations()
    except RevisionError as exc:
        raise DatabaseTooNew(str(exc)) from exc


def _missing(scripts: ScriptDirectory, current: tuple[str, ...]) -> list[MigrationStep]:
    revisions = list(scripts.iterate_revisions("heads", current or "base"))
    return [
        MigrationStep.upgrade_from_script(scripts.revision_map, revision)
        for revision in reversed(revisions)
    ]
