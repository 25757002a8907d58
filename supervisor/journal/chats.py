"""Stores what Planfix knows of a number's chats, and which statuses it was told or must still be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, or_, select, union_all, update

from session_worker.protocol.messages import PlanfixStatus
from supervisor.database import tables
from supervisor.database.tables import Direction, RowState
from supervisor.database.transactions import pieces, upsert, upsert_newest
from supervisor.journal.values import OwedStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Select

    from session_worker.protocol.messages import ChatMemory, StatusTold
    from supervisor.journal.journal import BodyCipher


_chat = tables.chat.c
_entity = tables.entity.c


def write_memories(
    connection: Connection, cipher: BodyCipher, memories: Iterable[ChatMemory]
) -> None:
    rows = [
        {
            "number": cipher.number,
            "peer_id": each.peer_id,
            "memory": cipher.seal_memory(each),
            "read_up_to": 0,
        }
        for each in memories
    ]
    upsert(connection, tables.chat, rows, keep=["read_up_to"])


def read_memories(
    connection: Connection, cipher: BodyCipher, peers: Collection[int]
) -> dict[int, ChatMemory]:
    query = select(_chat.peer_id, _chat.memory).where(
        _chat.number == cipher.number, _chat.peer_id.in_(sorted(peers))
    )
    rows = connection.execute(query)
    return {row.peer_id: cipher.open_memory(row.peer_id, row.memory) for row in rows}


def forget_memories(connection: Connection, number: str) -> None:
    """Forget what Planfix was told, because another Planfix has been told nothing; the chats stay known."""
    connection.execute(update(tables.chat).where(_chat.number == number).values(memory=None))


def is_known(connection: Connection, number: str, peer_id: int) -> bool:
    """Whether the number has a chat with this peer or at least its access hash."""
    known = union_all(
        select(_chat.peer_id).where(_chat.number == number, _chat.peer_id == peer_id),
        select(_entity.peer_id).where(_entity.number == number, _entity.peer_id == peer_id),
    )
    return connection.execute(known.limit(1)).first() is not None


_row = tables.journal.c
_owed = (
    select(_row.id, _row.key, _row.status_due, _row.status_told, _row.error_code)
    .where(_row.status_due.is_not(None), _row.number == bindparam("number"))
    .order_by(_row.id)
)
_owed_of = _owed.where(_row.id.in_(bindparam("rows", expanding=True)))
_next_owed = _owed.where(_row.id.not_in(bindparam("rows", expanding=True)))
_tell = (
    update(tables.journal)
    .where(
        _row.id == bindparam("of_row"),
        _row.number == bindparam("of_number"),
        _row.direction == Direction.OUT,
    )
    .values(
        status_told=bindparam("status"),
        status_due=case((_row.status_due == bindparam("status"), None), else_=_row.status_due),
    )
)


def write_told(connection: Connection, number: str, told: Sequence[StatusTold]) -> None:
    if told:
        values = [
            {"of_number": number, "of_row": each.row, "status": each.status.value} for each in told
        ]
        connection.execute(_tell, values)


def write_reads(connection: Connection, number: str, reads: Mapping[int, int]) -> list[int]:
    """Return the rows that contacts have read and Planfix must be told about."""
    if not reads:
        return []
    chats = [
        {"number": number, "peer_id": peer_id, "read_up_to": up_to}
        for peer_id, up_to in reads.items()
    ]
    upsert_newest(connection, tables.chat, chats, "read_up_to")
    read: list[int] = []
    for peer_id, up_to in reads.items():
        read += _mark_read(connection, number, peer_id, up_to)
    return read


def find_owed(connection: Connection, number: str, rows: Collection[int]) -> tuple[OwedStatus, ...]:
    owed: tuple[OwedStatus, ...] = ()
    for piece in pieces(sorted(rows)):
        owed += _select(connection, _owed_of, number, piece)
    return owed


def next_owed(
    connection: Connection, number: str, excluded: Collection[int], limit: int
) -> tuple[OwedStatus, ...]:
    """Return the oldest owed statuses, without those that a worker already has."""
    return _select(connection, _next_owed.limit(limit), number, sorted(excluded))


def _mark_read(connection: Connection, number: str, peer_id: int, up_to: int) -> list[int]:
    known = func.coalesce(_row.status_due, _row.status_told)
    statement = update(tables.journal).where(
        _row.number == number,
        _row.peer_id == peer_id,
        _row.direction == Direction.OUT,
        _row.state == RowState.DELIVERED,
        # With the next three the database finds the few unread rows in an index of their own.
        _row.connector.is_(None),
        _row.read.is_(None),
        _row.last_id <= up_to,
        or_(known.is_(None), known != PlanfixStatus.READ),
    )
    marked = statement.values(status_due=PlanfixStatus.READ, read=tables.now()).returning(_row.id)
    return list(connection.scalars(marked))


def _select(
    connection: Connection, query: Select[Any], number: str, rows: Sequence[int]
) -> tuple[OwedStatus, ...]:
    return tuple(
        OwedStatus(
            row.id,
            row.key,
            PlanfixStatus(row.status_due),
            PlanfixStatus(row.status_told) if row.status_told else None,
            row.error_code,
        )
        for row in connection.execute(query, {"number": number, "rows": rows})
    )
