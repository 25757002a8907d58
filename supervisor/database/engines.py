"""Engines for the two databases, set up so that a commit is on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import URL, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from supervisor.errors import DatabaseUrlInvalid
from supervisor.file_access import make_private_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

# Our own threads open an SQLite file; "aiosqlite" is accepted because it is the usual name.
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+aiosqlite": "sqlite+pysqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_BUSY_TIMEOUT = 10_000  # milliseconds
READERS: Final = 4  # connections
_KEEPALIVE = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
CONNECTING: Final = 5.0  # seconds
ABANDONED: Final = 5.0  # seconds for which a transaction may always pause
_LASTING = {"timeout": CONNECTING, "command_timeout": 5.0, "server_settings": _KEEPALIVE}
_READ_ONLY = {
    "timeout": CONNECTING,
    "server_settings": {"default_transaction_read_only": "on"},
}


def database_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as exc:  # ValueError: the port is no number
        # The text is left out of the message: it may hold a password.
        raise DatabaseUrlInvalid from exc
    if url.drivername not in _DRIVERS or url.database in {None, "", ":memory:"}:
        raise DatabaseUrlInvalid
    return _with_asyncpg_tls(url.set(drivername=_DRIVERS[url.drivername]))


def _with_asyncpg_tls(url: URL) -> URL:
    """Rename libpq's `sslmode`, which platforms hand out and asyncpg calls `ssl`."""
    if "sslmode" not in url.query:
        return url
    mode = url.query["sslmode"]
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})


def make_private_file(url: URL) -> None:
    """Create the SQLite file before SQLite does, so that no other user can read it."""
    if url.get_backend_name() != "sqlite":
        return
    path = Path(url.database or "")
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


# hide_parameters: an error must not carry the written values, such as tokens, into a log.
def writing_engine(url: URL, patience: float | None = None) -> AsyncEngine:
    """Return an engine with one connection; the server ends a transaction that pauses for too long."""
    settings = {} if patience is None else _without_abandoned(patience)
    connect_args = {"timeout": CONNECTING, "server_settings": settings}
    return create_async_engine(
        url, pool_size=1, max_overflow=0, hide_parameters=True, connect_args=connect_args
    )


def writing_sqlite_engine(url: URL) -> Engine:
    """Return an engine with one connection, whose transactions take the write lock at once."""
    engine = create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)
    event.listen(engine, "connect", _prepare_writer)
    event.listen(engine, "begin", _begin_immediate)
    return engine


# AUTOCOMMIT: each read sees the newest commit, and needs no statements that begin or end a
# transaction. The connections refuse to write, so that every write goes through the writer.
_READING: Final[Mapping[str, Any]] = {
    "isolation_level": "AUTOCOMMIT",
    "skip_autocommit_rollback": True,
    "pool_size": READERS,
    "max_overflow": 0,
    "hide_parameters": True,
}


def reading_engine(url: URL) -> AsyncEngine:
    return create_async_engine(url, pool_pre_ping=True, connect_args=_READ_ONLY, **_READING)


def reading_sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, **_READING)
    event.listen(engine, "connect", _prepare_reader)
    return engine


def locking_engine(url: URL) -> AsyncEngine:
    """Return an engine for a lasting connection; both sides soon notice when it is lost."""
    return create_async_engine(
        url,
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=_LASTING,
    )


def coordinating_engine(url: URL, patience: float) -> AsyncEngine:
    """Return an engine whose statements fail soon rather than wait."""
    settings = _KEEPALIVE | _without_abandoned(patience)
    limits = {"timeout": patience, "command_timeout": patience, "server_settings": settings}
    return create_async_engine(
        url,
        pool_size=3,
        max_overflow=2,
        pool_timeout=patience,
        hide_parameters=True,
        connect_args=limits,
    )


def _without_abandoned(patience: float) -> dict[str, str]:
    """Let the server end the transactions of a node that is frozen or cut off, with all their locks.

    A node that only waits for its processor must not lose its transactions again and again, so the
    time has a lower limit.
    """
    seconds = max(patience, ABANDONED)
    return {"idle_in_transaction_session_timeout": str(int(seconds * 1000))}


def _prepare_writer(connection: Any, _record: object) -> None:
    # FULL: in WAL mode anything less may lose the last commits when the power fails.
    _set_pragmas(connection, "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")


def _prepare_reader(connection: Any, _record: object) -> None:
    _set_pragmas(connection, "query_only=ON")


def _set_pragmas(connection: Any, *settings: str) -> None:
    # Otherwise sqlite3 itself would begin a transaction before some statements but not others.
    connection.isolation_level = None
    cursor = connection.cursor()
    for setting in (f"busy_timeout={_BUSY_TIMEOUT}", "foreign_keys=ON", *settings):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
