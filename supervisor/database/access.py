"""Whether the database can be read or written, told once for all who need it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc as sql_errors

from supervisor.database.outage import is_outage
from supervisor.errors import DatabaseRefused, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

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
