"""Inserts new messages into the journal, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from supervisor.database import tables
from supervisor.database.tables import Direction, RowState
from supervisor.database.transactions import insert_missing, insert_missing_returning, pieces
from supervisor.errors import NumberUnknown
from supervisor.journal.first_contacts import write_first_contact
from supervisor.journal.values import (
    Accepted,
    GapTrace,
    Mark,
    StoredIncoming,
    marks_of,
    row_key,
    without_known,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from session_worker.protocol.messages import Incoming, Received
    from session_worker.protocol.outgoing import Outgoing
    from supervisor.journal.first_contacts import FirstContact
    from supervisor.journal.journal import BodyCipher

_row = tables.journal.c
_mark = tables.telegram_message.c
_insert = insert(tables.journal).returning(_row.id, sort_by_parameter_order=True)
_known = (
    select(_mark.message_id, _mark.change, _row.direction == Direction.OUT)
    .join_from(tables.telegram_message, tables.journal, _mark.row == _row.id)
    .where(
        _mark.number == bindparam("number"),
        _mark.message_id.in_(bindparam("ids", expanding=True)),
    )
)
_FRESH = {
    "is_echo": False,
    "parts": 0,
    "state": RowState.PENDING,
    "attempts": 0,
    "is_trying": False,
    "is_uncertain": False,
}


class NewOutgoing(NamedTuple):
    """An employee's message, whether its chat is new here, and the first contact if it is one."""

    cipher: BodyCipher
    outgoing: Outgoing
    is_new_chat: bool
    first: FirstContact | None = None


def insert_outgoing(connection: Connection, items: list[NewOutgoing]) -> list[Accepted]:
    """Store new messages; for a repeated one return what was stored the first time."""
    try:
        new = _insert_where_missing(connection, [_values_of(item) for item in items])
        chats = [_chat_of(item.cipher, item.outgoing.peer_id) for item in items if item.is_new_chat]
        insert_missing(connection, tables.chat, chats)
        for item in items:
            _insert_first_contact(connection, item, new)
    except IntegrityError as exc:
        raise NumberUnknown from exc  # purged after its token was checked
    names = [(item.cipher.number, item.outgoing.planfix_id) for item in items]
    repeats = _first_answers(connection, [name for name in names if name not in new])
    answers = []
    for name, item in zip(names, items, strict=True):
        row = new.pop(name, None)
        answer = Accepted(row or 0, item.outgoing.peer_id, is_repeat=row is None)
        repeats.setdefault(name, answer._replace(is_repeat=True))
        answers.append(repeats[name] if row is None else answer)
    return answers


def _insert_first_contact(
    connection: Connection, item: NewOutgoing, new: dict[tuple[str, str], int]
) -> None:
    cipher, outgoing, first = item.cipher, item.outgoing, item.first
    row = new.get((cipher.number, outgoing.planfix_id))
    if first is None or row is None:
        return
    write_first_contact(connection, cipher.number, outgoing.peer_id, row, first)
    if first.notice is not None:
        # No Telegram message has such an id, and a repeat would have the same one.
        notice = first.notice.model_copy(update={"message_ids": (-row,)})
        _insert_rows(connection, cipher, [notice])


def find_outgoing(connection: Connection, number: str, key: str) -> Accepted | None:
    query = select(_row.id, _row.peer_id).where(
        _row.number == number, _row.direction == Direction.OUT, _row.key == key
    )
    row = connection.execute(query).first()
    return Accepted(row.id, row.peer_id, is_repeat=True) if row else None


def insert_incoming(
    connection: Connection, cipher: BodyCipher, received: Sequence[Received]
) -> list[StoredIncoming]:
    """Store the new part of each message, and return the answers in the same order."""
    incomings = [each.incoming for each in received]
    known, ours = _known_marks(connection, cipher.number, incomings)
    new = [_select_new(incoming, known) for incoming in incomings]
    rows = iter(_insert_rows(connection, cipher, [each for each in new if each]))
    return [
        StoredIncoming(
            GapTrace(
                row=next(rows) if each else None,
                size=len(incoming.message_ids),
                ours=sum(mark in ours for mark in marks_of(incoming)),
            ),
            each or incoming,
        )
        for incoming, each in zip(incomings, new, strict=True)
    ]


def _select_new(incoming: Incoming, known: set[Mark]) -> Incoming | None:
    new = without_known(incoming, known)
    known.update(marks_of(incoming))
    return new


def _known_marks(
    connection: Connection, number: str, incomings: Sequence[Incoming]
) -> tuple[set[Mark], set[Mark]]:
    """Return the stored marks, and those of them that we sent ourselves."""
    asked = {message_id for incoming in incomings for message_id in incoming.message_ids}
    known: dict[Mark, bool] = {}
    for ids in pieces(sorted(asked)):
        rows = connection.execute(_known, {"number": number, "ids": ids})
        known |= {Mark(message_id, change): is_ours for message_id, change, is_ours in rows}
    return set(known), {mark for mark, is_ours in known.items() if is_ours}


def _insert_rows(
    connection: Connection, cipher: BodyCipher, incomings: Sequence[Incoming]
) -> list[int]:
    if not incomings:
        return []
    created = tables.now()
    values = [_values_in(cipher, incoming) | {"created": created} for incoming in incomings]
    rows = [row.id for row in connection.execute(_insert, values)]
    marks = [
        {"number": cipher.number, "row": row, **mark._asdict()}
        for row, incoming in zip(rows, incomings, strict=True)
        for mark in marks_of(incoming)
    ]
    insert_missing(connection, tables.telegram_message, marks)
    chats = {incoming.peer_id: _chat_of(cipher, incoming.peer_id) for incoming in incomings}
    insert_missing(connection, tables.chat, list(chats.values()))
    return rows


def _insert_where_missing(
    connection: Connection, values: list[dict[str, Any]]
) -> dict[tuple[str, str], int]:
    rows = insert_missing_returning(
        connection, tables.journal, values, [_row.id, _row.number, _row.key]
    )
    return {(row.number, row.key): row.id for row in rows}


def _first_answers(
    connection: Connection, repeats: list[tuple[str, str]]
) -> dict[tuple[str, str], Accepted]:
    if not repeats:
        return {}
    query = select(_row.id, _row.peer_id, _row.number, _row.key).where(
        _row.direction == Direction.OUT, tuple_(_row.number, _row.key).in_(repeats)
    )
    return {
        (row.number, row.key): Accepted(row.id, row.peer_id, is_repeat=True)
        for row in connection.execute(query)
    }


def _values_of(item: NewOutgoing) -> dict[str, Any]:
    cipher, outgoing, _, first = item
    return {
        **_FRESH,
        "number": cipher.number,
        "direction": Direction.OUT,
        "peer_id": outgoing.peer_id,
        "connector": None if outgoing.connector == "planfix" else outgoing.connector,
        "key": outgoing.planfix_id,
        "body": cipher.seal(Direction.OUT, outgoing.planfix_id, outgoing),
        "parts": len(outgoing.parts),
        "next_try": first and first.expected,
        "error_code": first and first.code,
        "created": tables.now(),
    }


def _values_in(cipher: BodyCipher, incoming: Incoming) -> dict[str, Any]:
    key = row_key(incoming)
    return {
        **_FRESH,
        "number": cipher.number,
        "direction": Direction.IN,
        "peer_id": incoming.peer_id,
        "key": key,
        "body": cipher.seal(Direction.IN, key, incoming),
        "is_echo": incoming.is_echo,
    }


def _chat_of(cipher: BodyCipher, peer_id: int) -> dict[str, Any]:
    return {"number": cipher.number, "peer_id": peer_id, "read_up_to": 0}
