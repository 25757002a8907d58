"""Finds the rows that wait to be handed to a worker, and counts them and the dead letters."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Integer,
    bindparam,
    exists,
    false,
    func,
    literal_column,
    select,
    update,
)

from session_worker.protocol.messages import Failure
from session_worker.protocol.outgoing import Outgoing
from supervisor.database import tables
from supervisor.database.tables import DEAD, Direction, RowState
from supervisor.errors import SealBroken
from supervisor.journal import outcomes
from supervisor.journal.first_contacts import is_first, is_granted
from supervisor.journal.values import (
    ByDirection,
    Counts,
    Waiting,
    may_have_been_sent,
    next_try_here,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from supervisor.journal.journal import BodyCipher

_row = tables.journal.c
_part = tables.sent_part.c
_columns = (
    *(_row.id, _row.direction, _row.peer_id, _row.key, _row.body),
    *(_row.attempts, _row.tried, _row.next_try, _row.is_trying, _row.is_uncertain),
)

# Literals, because with a parameter neither database would use the partial indexes of these rows.
# IS_DEAD has no type: SQLAlchemy would compare a Boolean with 1, and SQLite would read all rows.
IS_PENDING: Final = _row.state == literal_column(f"'{RowState.PENDING}'")
IS_DEAD: Final[ColumnElement[bool]] = literal_column(f"({DEAD})")
UNREADABLE = "body_unreadable"

logger = logging.getLogger(__name__)


def _next(direction: Direction, begun: Any, first: Any, *more: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_columns, begun.label("has_begun"), first.label("is_first"))
        .where(_row.number == bindparam("of_number"), _row.direction == direction, IS_PENDING)
        .where(_row.id.not_in(bindparam("held", expanding=True)), *more)
        .where(_row.peer_id.not_in(bindparam("full", expanding=True)))
        .order_by(_row.id)
        .limit(bindparam("most", type_=Integer))
    )


# Built once, because that costs as much as executing them.
_next_in: Final = _next(Direction.IN, false(), false())
_has_begun = exists().where(_part.row == _row.id)
_next_out: Final = _next(Direction.OUT, _has_begun, is_first(), is_granted())


@dataclass(frozen=True, slots=True)
class Excluded:
    """Rows that a worker already has, and lanes of which it has enough rows."""

    rows: Collection[int] = ()
    lanes: Collection[int] = ()


def next_waiting(
    connection: Connection,
    cipher: BodyCipher,
    direction: Direction,
    excluded: Excluded,
    limit: int,
) -> tuple[list[Waiting], list[int]]:
    """Return the oldest rows, and the ids of those among them that cannot be decrypted."""
    query = _next_out if direction is Direction.OUT else _next_in
    bounds = {"of_number": cipher.number, "most": limit}
    bounds |= {"held": sorted(excluded.rows), "full": sorted(excluded.lanes)}
    rows = connection.execute(query, bounds).all()
    now = time.time()
    opened = [_open(cipher, row, now) for row in rows]
    waiting = [each for each in opened if each is not None]
    broken = [row.id for row, each in zip(rows, opened, strict=True) if each is None]
    begun = [row.id for row in rows if row.has_begun]
    return (_with_sent_parts(connection, waiting, begun) if begun else waiting), broken


def rows_in_doubt(connection: Connection, number: str, now: float) -> dict[int, int]:
    """Return for each chat the newest outgoing row that the previous worker may have sent.

    The last report of that worker may be lost. A chat therefore has such a row, unless its oldest
    row is known to have been waiting for its next attempt.
    """
    ends = (
        select(func.min(_row.id).label("oldest"), func.max(_row.id).label("newest"))
        .where(*_is_pending(number, Direction.OUT))
        .group_by(_row.peer_id)
        .subquery()
    )
    query = select(_row.peer_id, _row.next_try, _row.error_code, ends.c.newest).join(
        ends, _row.id == ends.c.oldest
    )
    return {
        row.peer_id: row.newest
        for row in connection.execute(query)
        if not _waits(row.error_code, row.next_try, now)
    }


def still_pending(connection: Connection, number: str, rows: Collection[int]) -> frozenset[int]:
    query = select(_row.id).where(
        _row.number == number, _row.state == RowState.PENDING, _row.id.in_(sorted(rows))
    )
    return frozenset(connection.scalars(query))


def mark_dead(connection: Connection, number: str, rows: Sequence[int]) -> None:
    """Mark rows that cannot be decrypted as dead, so that they do not block later rows."""
    logger.error("number %s: rows %s cannot be decrypted, so they are marked as dead", number, rows)
    statement = update(tables.journal).where(_row.number == number, _row.id.in_(rows))
    dead = {"state": RowState.DEAD, "error_code": UNREADABLE, "done": tables.now()}
    connection.execute(statement.values(dead))


def _waits(error_code: str | None, next_try: float | None, now: float) -> bool:
    """Whether a row is waiting for its next attempt and has certainly not been sent."""
    if next_try is None or next_try <= now:
        return False
    return not may_have_been_sent(Failure(code=error_code or "", next_try=next_try))


def _is_pending(number: str, direction: Direction) -> tuple[ColumnElement[bool], ...]:
    return (_row.number == number, _row.direction == direction, IS_PENDING)


def _open(cipher: BodyCipher, row: Any, now: float) -> Waiting | None:
    try:
        body = cipher.open(row.direction, row.key, row.body or b"")
    except SealBroken:
        return None
    return Waiting(
        row=row.id,
        peer_id=row.peer_id,
        body=body,
        attempts=row.attempts,
        next_try=next_try_here(row.next_try, row.tried and row.tried.timestamp(), now),
        # An attempt without an outcome: its worker ended during it.
        is_uncertain=row.is_uncertain or row.is_trying,
        # A row that was tried before, also one that is replayed, is no longer a first contact.
        is_first=row.is_first and not row.attempts,
    )


def _with_sent_parts(
    connection: Connection, waiting: list[Waiting], rows: list[int]
) -> list[Waiting]:
    query = select(_part.row, _part.part, _part.message_ids).where(_part.row.in_(rows))
    sent: dict[int, dict[int, tuple[int | None, ...]]] = {}
    for row, part, ids in connection.execute(query):
        sent.setdefault(row, {})[part] = outcomes.split_ids(ids)
    return [_mark_sent(each, sent.get(each.row)) for each in waiting]


def _mark_sent(waiting: Waiting, sent: dict[int, tuple[int | None, ...]] | None) -> Waiting:
    body = waiting.body
    if sent is None:
        return waiting
    if not isinstance(body, Outgoing):
        raise TypeError(type(body).__name__)
    parts = tuple(
        part.model_copy(update={"sent": sent.get(place, ())})
        for place, part in enumerate(body.parts)
    )
    body = body.model_copy(update={"parts": parts})
    return replace(waiting, body=body)


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
