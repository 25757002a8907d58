"""Lists the journal for people, and revives dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from session_worker.protocol.messages import Incoming
from session_worker.protocol.outgoing import Outgoing
from supervisor.database import tables
from supervisor.database.tables import Direction, RowState
from supervisor.errors import MessageNotDead, MessageUnknown, SealBroken
from supervisor.journal.values import Entry

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from supervisor.journal.body_cipher import BodyCipher

_row = tables.journal.c
_AS_NEW = {
    "state": RowState.PENDING,
    "next_try": None,
    "is_trying": False,
    "error_code": None,
    "error_detail": None,
    "status_due": None,
    "done": None,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages to show; the newest come first."""

    direction: Direction | None = None
    state: RowState | None = None
    before: int | None = None
    limit: int = 100

    def where(self, number: str) -> list[ColumnElement[bool]]:
        conditions = [_row.number == number]
        if self.direction is not None:
            conditions.append(_row.direction == self.direction)
        if self.state is not None:
            conditions.append(_row.state == self.state)
        if self.before is not None:
            conditions.append(_row.id < self.before)
        return conditions


def list_entries(
    connection: Connection, cipher: BodyCipher, selection: Selection
) -> tuple[Entry, ...]:
    query = (
        select(tables.journal)
        .where(*selection.where(cipher.number))
        .order_by(_row.id.desc())
        .limit(selection.limit)
    )
    return tuple(_entry(cipher, row) for row in connection.execute(query))


def revive(connection: Connection, number: str, row: int) -> Direction:
    """Make a dead row pending again, and return its direction."""
    query = select(_row.state).where(_row.number == number, _row.id == row)
    state = connection.execute(query).scalar()
    if state is None:
        raise MessageUnknown(str(row))
    if state != RowState.DEAD:
        raise MessageNotDead(f"it is {state}")
    [direction] = _revive(connection, _row.number == number, _row.id == row)
    return direction


def revive_all(connection: Connection, number: str) -> int:
    return len(_revive(connection, _row.number == number))


def find_body(connection: Connection, cipher: BodyCipher, row: int) -> Incoming | Outgoing | None:
    """Return None if the row is erased or belongs to another number."""
    query = select(_row.direction, _row.key, _row.body).where(
        _row.number == cipher.number, _row.id == row
    )
    found = connection.execute(query).first()
    return _open(cipher, found) if found else None


def _revive(connection: Connection, *where: ColumnElement[bool]) -> list[Direction]:
    statement = update(tables.journal).where(
        *where, _row.state == RowState.DEAD, _row.body.is_not(None)
    )
    revived = connection.scalars(statement.values(_AS_NEW).returning(_row.direction))
    return [Direction(direction) for direction in revived]


def _entry(cipher: BodyCipher, row: Any) -> Entry:
    body = _open(cipher, row)
    return Entry(
        id=row.id,
        direction=Direction(row.direction),
        state=RowState(row.state),
        peer_id=row.peer_id,
        key=row.key,
        text=_text_of(body) if body else None,
        files=_files_of(body) if body else (),
        is_echo=row.is_echo,
        attempts=row.attempts,
        next_try=row.next_try,
        is_uncertain=row.is_uncertain,
        error_code=row.error_code,
        error_detail=row.error_detail,
        status=row.status_told,
        created=row.created,
        done=row.done,
    )


def _open(cipher: BodyCipher, row: Any) -> Incoming | Outgoing | None:
    if row.body is None:
        return None
    try:
        return cipher.open(row.direction, row.key, row.body)
    except SealBroken:
        return None


def _text_of(body: Incoming | Outgoing) -> str:
    match body:
        case Incoming():
            return body.text
        case Outgoing():
            return "".join(part.text for part in body.parts)


def _files_of(body: Incoming | Outgoing) -> tuple[str, ...]:
    match body:
        case Incoming():
            return tuple(file.name for file in body.files)
        case Outgoing():
            return tuple(file.name for file in body.attachments)
