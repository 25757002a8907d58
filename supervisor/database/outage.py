"""Tells from a database error whether the database is unavailable or refuses the statement."""

from __future__ import annotations

import sqlite3
from typing import Final

from sqlalchemy import exc as sql_errors

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
