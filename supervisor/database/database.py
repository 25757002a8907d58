"""The gateway's database: several connections that read, one writer, and the kinds of its errors."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from contextlib import contextmanager
from importlib import resources
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import exc as sql_errors
from sqlalchemy import inspect, text

from supervisor.database.engines import database_url, locking_engine, make_private_file
from supervisor.database.transactions import LIMIT, open_reader, open_writer
from supervisor.database.writer import Writer
from supervisor.errors import DatabaseRefused, DatabaseTooNew, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import URL, Connection, Executable
    from sqlalchemy.ext.asyncio import AsyncEngine

    from supervisor.database.transactions import Transactor
    from supervisor.histogram import Histogram


Item = TypeVar("Item")
Answer = TypeVar("Answer")
Given = ParamSpec("Given")


class Database:
    """Runs units of work, which are plain functions of a connection.

    On SQLite a unit runs in a thread, so it must not touch what belongs to the event loop. It
    returns values and never a cursor.
    """

    def __init__(
        self, url: str, *, limit: float | None = LIMIT, patience: float | None = None
    ) -> None:
        """Let no unit of work on a server take more seconds than this limit.

        A server that several nodes share ends a transaction that pauses for `patience` seconds.
        """
        self._url = database_url(url)
        self._reading = open_reader(self._url, limit)
        self._writing = open_writer(self._url, limit, patience)
        self._writer = Writer(self._writing)
        self._reads, self._writes = Access("read"), Access("written")

    async def start(self) -> None:
        """Bring the tables up to date, then accept writes."""
        with self._writes.watched():
            await self._migrate()
        self._writer.start()

    async def stop(self) -> None:
        await self._writer.stop()
        await self._writing.dispose()
        await self._reading.dispose()

    @property
    def failing_since(self) -> float | None:
        """Since when it cannot be written or read, in seconds since 1970, if the last try has failed."""
        return self._writes.failing_since or self._reads.failing_since

    @property
    def commits(self) -> Histogram:
        """How long the transactions of the writer took."""
        return self._writer.commits

    async def _migrate(self) -> None:
        migrating = open_writer(self._url, limit=None)  # a big table takes its time
        try:
            await migrate(migrating)
        finally:
            await migrating.dispose()

    def locking_engine(self) -> AsyncEngine | None:
        """Return what a lock on the database needs; an SQLite file needs none.

        The file lies in a DATA_DIR, which has a lock of its own.
        """
        if self._url.get_backend_name() == "sqlite":
            return None
        return locking_engine(self._url)

    @property
    def url(self) -> URL:
        return self._url

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
        """Run a unit that writes; see `Writer.run`."""
        with self._writes.watched():
            return await self._writer.run(lambda each: unit(each, *args, **kwargs))

    async def write_for(self, number: str, unit: Callable[[Connection], Answer]) -> Answer:
        """Run a unit in the turn of this number, so that no other number waits behind many of them."""
        with self._writes.watched():
            return await self._writer.run(unit, number)

    async def write_together(
        self,
        handler: Callable[[Connection, list[Item]], Sequence[Answer]],
        item: Item,
        number: str = "",
    ) -> Answer:
        """See `Writer.together`."""
        with self._writes.watched():
            return await self._writer.together(handler, item, number)


_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(32286, 61894)")


async def migrate(transactor: Transactor) -> None:
    """Run the missing migrations in one transaction."""
    scripts = await asyncio.to_thread(_load_scripts)
    await transactor.transact(lambda connection: _upgrade(connection, scripts))


def _load_scripts() -> ScriptDirectory:
    scripts = ScriptDirectory(str(resources.files("supervisor") / "migrations"))
    scripts.get_heads()  # reads the files now, in this thread, and not later in the event loop
    return scripts


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(_ONE_AT_A_TIME)  # nodes may start at the same moment
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


# SQLSTATE classes: lost connections, locks, a server that starts, stops, is full or denies access.
_OUTAGES: Final = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})
_READ_ONLY: Final = "25006"  # the server has become a replica
# The same for an SQLite file: https://sqlite.org/rescode.html
_FILE_OUTAGES: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
    }
)
_PRIMARY_CODE = 0xFF  # the bits of an extended result code that hold the primary one


def is_outage(error: sql_errors.StatementError) -> bool:
    """Whether the same statement may succeed once the database has recovered."""
    if not isinstance(error, sql_errors.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state[:2] in _OUTAGES or state == _READ_ONLY
    if isinstance(error.orig, sqlite3.Error):
        return _is_file_outage(error.orig)
    return isinstance(error, sql_errors.OperationalError)


def _is_file_outage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return isinstance(error, sqlite3.OperationalError)
    return code & _PRIMARY_CODE in _FILE_OUTAGES


logger = logging.getLogger(__name__)


class Access:
    """One way of using the database; its failure is logged once, and so is its recovery."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._failures = 0
        self.failing_since: float | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Raise DatabaseUnavailable for an outage, DatabaseRefused if a statement is at fault.

        The detail of DatabaseRefused is only the name of an error, because the message of a database
        may quote values.
        """
        try:
            yield
        except sql_errors.StatementError as exc:
            if is_outage(exc):
                raise self._lost(str(exc.orig)) from exc
            raise DatabaseRefused(type(exc.orig).__name__) from exc
        except (OverflowError, UnicodeError) as exc:  # SQLite's driver takes no such number or text
            raise DatabaseRefused(type(exc).__name__) from exc
        except (sql_errors.TimeoutError, sql_errors.PendingRollbackError, OSError) as exc:
            raise self._lost(type(exc).__name__) from exc
        else:
            self._found()

    def _lost(self, reason: str) -> DatabaseUnavailable:
        if not self._failures:
            logger.error("the database cannot be %s: %s", self._done, reason)
            self.failing_since = time.time()
        self._failures += 1
        return DatabaseUnavailable(reason)

    def _found(self) -> None:
        failures, self._failures, self.failing_since = self._failures, 0, None
        if failures:
            logger.warning("the database is %s again, after %d failures", self._done, failures)
