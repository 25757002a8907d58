"""What Planfix has been told of its messages, what it is still owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, case, func, or_, select, update

from session_worker.protocol.messages import PlanfixStatus
from supervisor.database import tables
from supervisor.database.pieces import pieces
from supervisor.database.tables import Direction, RowState
from supervisor.database.upsert import upsert_newest
from supervisor.journal.values import OwedStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from session_worker.protocol.messages import StatusTold

_row = tables.journal.c
_owed = select(_row.id, _row.key, _row.status_due, _row.status_told, _row.error_code)
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


async def write_told(connection: AsyncConnection, number: str, told: Sequence[StatusTold]) -> None:
    if told:
        values = [
            {"of_number": number, "of_row": each.row, "status": each.status.value} for each in told
        ]
        await connection.execute(_tell, values)


async def write_reads(
    connection: AsyncConnection, number: str, reads: Mapping[int, int]
) -> list[int]:
    """Return the rows of which Planfix is to be told now that they were read."""
    if not reads:
        return []
    chats = [
        {"number": number, "peer_id": peer_id, "read_up_to": up_to}
        for peer_id, up_to in reads.items()
    ]
    await upsert_newest(connection, tables.chat, chats, "read_up_to")
    read: list[int] = []
    for peer_id, up_to in reads.items():
        read += await _mark_read(connection, number, peer_id, up_to)
    return read


async def find_owed(
    connection: AsyncConnection, number: str, rows: Collection[int]
) -> tuple[OwedStatus, ...]:
    owed: tuple[OwedStatus, ...] = ()
    for piece in pieces(sorted(rows)):
        owed += await _select(connection, _row.number == number, _row.id.in_(piece))
    return owed


async def next_owed(
    connection: AsyncConnection, number: str, besides: Collection[int], limit: int
) -> tuple[OwedStatus, ...]:
    """Return the oldest that are owed, besides those that are being told."""
    where = (_row.number == number, _row.id.not_in(sorted(besides)))
    return await _select(connection, *where, limit=limit)


async def _mark_read(
    connection: AsyncConnection, number: str, peer_id: int, up_to: int
) -> list[int]:
    known = func.coalesce(_row.status_due, _row.status_told)
    statement = update(tables.journal).where(
        _row.number == number,
        _row.peer_id == peer_id,
        _row.direction == Direction.OUT,
        _row.state == RowState.DELIVERED,
        _row.last_id <= up_to,
        or_(known.is_(None), known != PlanfixStatus.READ),
    )
    marked = statement.values(status_due=PlanfixStatus.READ).returning(_row.id)
    return list(await connection.scalars(marked))


async def _select(
    connection: AsyncConnection, *where: ColumnElement[bool], limit: int | None = None
) -> tuple[OwedStatus, ...]:
    query = _owed.where(_row.status_due.is_not(None), *where).order_by(_row.id).limit(limit)
    return tuple(
        OwedStatus(
            row.id,
            row.key,
            PlanfixStatus(row.status_due),
            PlanfixStatus(row.status_told) if row.status_told else None,
            row.error_code,
        )
        for row in await connection.execute(query)
    )
