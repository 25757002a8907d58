"""Whether the database can be read or written, told once for all who need it."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import exc as sql_errors

from supervisor.errors import DatabaseRefused, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    """One way of using the database; its end is logged once, as is its return."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._failures = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Tell trouble with the database as such from trouble with one statement or its values.

        The detail of the latter is a name alone: the words of a database may quote the values.
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
            logger.error("the database can't be %s: %s", self._done, reason)
        self._failures += 1
        return DatabaseUnavailable(reason)

    def _found(self) -> None:
        failures, self._failures = self._failures, 0
        if failures:
            logger.warning("the database is %s again, after %d failures", self._done, failures)
