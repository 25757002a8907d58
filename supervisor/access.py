"""Whether the database can be read or written, told once for all who need it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc as sql_errors

from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSING_CLASSES = frozenset({"08", "53", "57", "58"})
"""PostgreSQL's classes of trouble that is not the statement's: no line, no room, shut down, disk."""
PASSING_CODES = frozenset({"25006", "40001", "40P01", "55P03"})
"""Read-only after a change of servers, lost to another transaction, no lock in time."""

logger = logging.getLogger(__name__)


class Access:
    """One way of using the database; its end is logged once, as is its return."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._failures = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turn trouble with the database as such, not with one statement, into our own error."""
        try:
            yield
        except sql_errors.DBAPIError as exc:
            if not is_passing(exc):
                raise
            raise self._lost(str(exc.orig)) from exc
        except (sql_errors.PendingRollbackError, sql_errors.TimeoutError, OSError) as exc:
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


def is_passing(error: sql_errors.DBAPIError) -> bool:
    """Tell trouble that ends without a change of the statement."""
    if isinstance(error, sql_errors.OperationalError | sql_errors.InterfaceError):
        return True
    code = str(getattr(error.orig, "sqlstate", None) or "")
    is_known = code[:2] in PASSING_CLASSES or code in PASSING_CODES
    return is_known or error.connection_invalidated
