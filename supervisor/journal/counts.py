"""Counts the messages that wait and the dead letters, by indexes that hold only these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Boolean, func, literal_column, select

from supervisor.database import tables
from supervisor.database.tables import DEAD, Direction
from supervisor.journal.pending import IS_PENDING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection


@dataclass(frozen=True, slots=True)
class ByDirection:
    """How many messages in each direction: `into` Planfix, `out` to Telegram."""

    into: int = 0
    out: int = 0

    @property
    def total(self) -> int:
        return self.into + self.out


EMPTY: Final = ByDirection()


@dataclass(frozen=True, slots=True)
class Counts:
    """The undelivered messages of a number, since when the oldest waits, and its dead letters."""

    backlog: ByDirection = EMPTY
    dead: ByDirection = EMPTY
    oldest_waiting: datetime | None = None


NONE = Counts()
IS_DEAD: Final = literal_column(f"({DEAD})", Boolean)

_row = tables.journal.c


def count_messages(
    connection: Connection, numbers: Collection[str] | None = None
) -> dict[str, Counts]:
    """Count for these numbers, or for all; a number without any has no entry."""
    of = [] if numbers is None else [_row.number.in_(sorted(numbers))]
    waiting = _count(connection, IS_PENDING, *of)
    dead = _count(connection, IS_DEAD, *of)
    oldest = _oldest(connection, waiting)
    return {
        number: Counts(
            _by_direction(waiting.get(number, {})),
            _by_direction(dead.get(number, {})),
            oldest.get(number),
        )
        for number in {*waiting, *dead}
    }


Found = dict[str, dict[str, tuple[int, int]]]


def _count(connection: Connection, *where: ColumnElement[bool]) -> Found:
    """Return the count and the smallest id by number and direction."""
    query = (
        select(_row.number, _row.direction, func.count(), func.min(_row.id))
        .where(*where)
        .group_by(_row.number, _row.direction)
    )
    found: Found = {}
    for number, direction, count, first in connection.execute(query):
        found.setdefault(number, {})[direction] = (count, first)
    return found


def _oldest(connection: Connection, waiting: Found) -> dict[str, datetime]:
    firsts = [first for of in waiting.values() for _, first in of.values()]
    if not firsts:
        return {}
    query = select(_row.number, func.min(_row.created)).where(_row.id.in_(firsts))
    rows = connection.execute(query.group_by(_row.number))
    return {number: created for number, created in rows}  # noqa: C416 - a row is no pair


def _by_direction(of: dict[str, tuple[int, int]]) -> ByDirection:
    none = (0, 0)
    return ByDirection(of.get(Direction.IN, none)[0], of.get(Direction.OUT, none)[0])
