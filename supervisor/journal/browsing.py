"""Lists the journal for people, and revives or dismisses dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unicodedata import combining, is_normalized, normalize

from sqlalchemy import select, update

from session_worker.protocol.messages import Incoming
from session_worker.protocol.outgoing import Outgoing
from supervisor.database import history_tables, tables
from supervisor.database.tables import Direction, RowState
from supervisor.errors import (
    MessageNotDead,
    MessageNotDismissable,
    MessageUnknown,
    SealBroken,
)
from supervisor.journal import chats
from supervisor.journal.pending import IS_DEAD, IS_PENDING
from supervisor.journal.values import Entry, FailedTries, MessagePath

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from session_worker.protocol.messages import ChatMemory, Contact
    from supervisor.journal.journal import BodyCipher

_row = tables.journal.c
_mark = tables.telegram_message.c
_failed = history_tables.failed_try.c
_AS_NEW = {
    "state": RowState.PENDING,
    "next_try": None,
    "is_trying": False,
    "error_code": None,
    "error_detail": None,
    "status_due": None,
    "done": None,
    "dismissed": None,
    "replays": _row.replays + 1,
}
PIECE = 200  # rows that are decrypted at once
MOST_MARKS = 30  # on one letter; as many as Unicode's stream-safe form has
_TWO_MARKS = "\u0f73\u0f75\u0f81"  # no marks themselves, but composed of two
# States that few rows have; their conditions are those of partial indexes.
_FEW = {RowState.PENDING: IS_PENDING, RowState.DEAD: IS_DEAD}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages to show; the newest come first."""

    direction: Direction | None = None
    state: RowState | None = None
    is_dismissed: bool = False
    before: int | None = None
    limit: int = 100
    planfix_id: str | None = None
    telegram_id: int | None = None
    peer_id: int | None = None
    search: str | None = None

    def where(self, number: str) -> list[ColumnElement[bool]]:
        conditions = [_row.number == number, *self._state()]
        if self.direction is not None:
            conditions.append(_row.direction == self.direction)
        if self.before is not None:
            conditions.append(_row.id < self.before)
        if self.planfix_id is not None:
            conditions += [_row.direction == Direction.OUT, _row.key == self.planfix_id]
        if self.peer_id is not None:
            conditions.append(_row.peer_id == self.peer_id)
        if self.telegram_id is not None:
            rows = select(_mark.row).where(
                _mark.number == number, _mark.message_id == self.telegram_id
            )
            conditions.append(_row.id.in_(rows))
        return conditions

    def _state(self) -> list[ColumnElement[bool]]:
        if self.is_dismissed:
            return [_row.dismissed.is_not(None)]
        if self.state in _FEW:
            # Both directions are named because the index has them before the id; SQLite needs the hint.
            return [_FEW[self.state], _row.direction.in_(list(Direction))]
        return [] if self.state is None else [_row.state == self.state]

    @property
    def newest_first(self) -> ColumnElement[int]:
        """Order by the id; the sum keeps the database from reading all rows by the index of their ids."""
        return (_row.id + 0 if self.state in _FEW else _row.id).desc()

    def matches(self, entry: Entry) -> bool:
        """Whether an entry contains the searched words; bodies are sealed, so no database can say."""
        words = _plain(self.search or "")
        texts = (entry.text, entry.contact, *entry.files)
        return any(words in _plain(text) for text in texts if text)


def _plain(text: str) -> str:
    # The same letter may be written with one character or with two, as some phones do.
    composed = text if is_normalized("NFC", text) else normalize("NFC", _without_piles(text))
    return composed.casefold()


def _without_piles(text: str) -> str:
    """Leave out a letter's marks beyond the thirtieth: the time they take grows with the square of their number."""
    kept, marks = [], 0
    for sign in text:
        marks = marks + 1 if combining(sign) or sign in _TWO_MARKS else 0
        if marks <= MOST_MARKS:
            kept.append(sign)
    return "".join(kept)


def list_entries(
    connection: Connection, cipher: BodyCipher, selection: Selection
) -> tuple[Entry, ...]:
    query = (
        select(tables.journal)
        .where(*selection.where(cipher.number))
        .order_by(selection.newest_first)
        .limit(selection.limit)
    )
    rows = connection.execute(query).all()
    peers = {row.peer_id for row in rows if row.direction == Direction.OUT}
    memories = chats.read_memories(connection, cipher, peers)
    return tuple(_entry(cipher, row, memories.get(row.peer_id)) for row in rows)


def find_path(connection: Connection, cipher: BodyCipher, row: int) -> MessagePath:
    """Return everything that is known of one message."""
    found = connection.execute(
        select(tables.journal).where(_row.number == cipher.number, _row.id == row)
    ).first()
    if found is None:
        raise MessageUnknown(str(row))
    memory = chats.read_memories(connection, cipher, [found.peer_id]).get(found.peer_id)
    ids = connection.scalars(
        select(_mark.message_id)
        .distinct()
        .where(_mark.number == cipher.number, _mark.row == row)
        .order_by(_mark.message_id)
    )
    failed = connection.execute(
        select(history_tables.failed_try)
        .where(_failed.row == row)
        .order_by(_failed.replays, _failed.first, _failed.code)
    )
    tries = tuple(
        FailedTries(each.replays, each.code, each.detail, each.times, each.first, each.last)
        for each in failed
    )
    return MessagePath(_entry(cipher, found, memory), tuple(ids), tries)


def dismiss(connection: Connection, number: str, row: int) -> None:
    """Let a dead letter rest: it is no longer counted, and is erased like a delivered message."""
    _require_dead(connection, number, row, MessageNotDismissable)
    connection.execute(update(tables.journal).where(_row.id == row).values(dismissed=tables.now()))


def revive(connection: Connection, number: str, row: int) -> Direction:
    """Make a dead row pending again, and return its direction."""
    _require_dead(connection, number, row)
    revived = _revive(connection, _row.number == number, _row.id == row)
    if not revived:
        raise MessageNotDead("its content is erased")
    return revived[0]


def revive_all(connection: Connection, number: str) -> int:
    return len(_revive(connection, _row.number == number, IS_DEAD))


def _require_dead(
    connection: Connection, number: str, row: int, otherwise: type[MessageNotDead] = MessageNotDead
) -> None:
    query = select(_row.state).where(_row.number == number, _row.id == row)
    state = connection.execute(query).scalar()
    if state is None:
        raise MessageUnknown(str(row))
    if state != RowState.DEAD:
        raise otherwise(f"it is {state}")


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
    values = {**_AS_NEW, "replayed": tables.now()}
    revived = connection.scalars(statement.values(values).returning(_row.direction))
    return [Direction(direction) for direction in revived]


def _entry(cipher: BodyCipher, row: Any, memory: ChatMemory | None) -> Entry:
    body = _open(cipher, row)
    contact = body.contact if isinstance(body, Incoming) else memory and memory.contact
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
        connector=row.connector,
        contact=_name_of(contact) if contact else None,
        written=_written(body) if isinstance(body, Incoming) else None,
        tried=row.tried,
        read=row.read,
        replays=row.replays,
        replayed=row.replayed,
        dismissed=row.dismissed,
    )


def _name_of(contact: Contact) -> str:
    return f"{contact.first_name} {contact.last_name or ''}".strip()


def _written(incoming: Incoming) -> datetime | None:
    try:
        return datetime.fromtimestamp(incoming.edit_date or incoming.date, UTC)
    except (OverflowError, ValueError, OSError):  # a date outside the calendar
        return None


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
