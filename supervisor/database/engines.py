"""Engines for the two databases, set up so that a commit is on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from supervisor.errors import DatabaseUrlInvalid
from supervisor.private_folder import make_private_folder

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_BUSY = 10_000  # milliseconds
_READERS = 4  # connections
_SOON_NOTICED = {
    "timeout": 5.0,
    "command_timeout": 5.0,
    "server_settings": {
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    },
}
_READ_ONLY = {"server_settings": {"default_transaction_read_only": "on"}}


def database_url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as exc:
        # The text is left out of the message: it may hold a password.
        raise DatabaseUrlInvalid from exc
    if url.drivername not in _DRIVERS or url.database in {None, "", ":memory:"}:
        raise DatabaseUrlInvalid
    return _with_asyncpg_tls(url.set(drivername=_DRIVERS[url.drivername]))


def _with_asyncpg_tls(url: URL) -> URL:
    """Platforms hand out libpq's `sslmode`, which asyncpg calls `ssl`."""
    if "sslmode" not in url.query:
        return url
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def make_private_file(url: URL) -> None:
    """Make the SQLite file before SQLite does, so that nobody else may read it."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


# hide_parameters: what is written holds tokens, which must not reach a log with an error.
def writing_engine(url: URL) -> AsyncEngine:
    return create_async_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)


def writing_sqlite_engine(url: URL) -> Engine:
    """Make one connection, its transactions taking the write lock from the start."""
    plain = url.set(drivername="sqlite")
    engine = create_engine(plain, pool_size=1, max_overflow=0, hide_parameters=True)
    event.listen(engine, "connect", _prepare_writer)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def reading_engine(url: URL) -> AsyncEngine:
    """Make connections on which every write fails, so that none passes the writer by."""
    is_sqlite = url.get_backend_name() == "sqlite"
    engine = create_async_engine(
        url,
        # Each read sees the newest commit, without a round trip to begin or end a transaction.
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_size=_READERS,
        max_overflow=0,
        pool_pre_ping=not is_sqlite,
        hide_parameters=True,
        connect_args={} if is_sqlite else _READ_ONLY,
    )
    if is_sqlite:
        event.listen(engine.sync_engine, "connect", _prepare_reader)
    return engine


def locking_engine(url: URL) -> AsyncEngine:
    """Make a connection that stays, whose silent end both sides notice soon."""
    return create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=_SOON_NOTICED,
    )


def _prepare_writer(connection: Any, _record: object) -> None:
    # FULL: in WAL mode anything less may lose the last commits when the power fails.
    _pragmas(connection, "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")


def _prepare_reader(connection: Any, _record: object) -> None:
    _pragmas(connection, "query_only=ON")


def _pragmas(connection: Any, *settings: str) -> None:
    # sqlite3 would open a transaction behind our back before some statements, but not others.
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in (f"busy_timeout={_BUSY}", "foreign_keys=ON", *settings):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
