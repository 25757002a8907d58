"""Stores receipts for the messages that were written while the number was not connected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from supervisor.database import tables
from supervisor.database.tables import RowState
from supervisor.journal.values import Receipt, found_of_others, traces_of_gap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from session_worker.protocol.messages import GapFilled
    from supervisor.journal.values import GapTrace

_receipt = tables.gap_receipt.c
_row = tables.journal.c
_mark = tables.telegram_message.c
_not_delivered = (
    select(func.count())
    .select_from(tables.telegram_message.join(tables.journal, _mark.row == _row.id))
    .where(
        _row.number == _receipt.number,
        _row.direction == tables.Direction.IN,
        _row.id.between(_receipt.first_row, _receipt.last_row),
        _row.state != RowState.DELIVERED,
    )
    .scalar_subquery()
)


def write_receipt(
    connection: Connection, number: str, gap: GapFilled, traces: Sequence[GapTrace]
) -> None:
    """Store a receipt with the first and the last of the new rows, if there are any."""
    of_gap = traces_of_gap(gap.found, traces)
    stored = _still_stored(connection, number, of_gap)
    receipt = tables.GapReceipt(
        number=number,
        pts_from=gap.pts_from,
        pts_to=gap.pts_to,
        began=datetime.fromtimestamp(gap.began, UTC),
        found=found_of_others(gap.found, of_gap, stored),
        missing=gap.missing,
        detail=gap.detail,
        first_row=min(stored, default=None),
        last_row=max(stored, default=None),
    )
    connection.execute(insert(tables.gap_receipt), receipt.model_dump(exclude={"id"}))


def leave_out(connection: Connection, number: str, rows: Mapping[int, int]) -> None:
    """Subtract the messages of deleted rows, which are our own or of left-out chats, from the receipts."""
    for row, messages in rows.items():
        connection.execute(
            update(tables.gap_receipt)
            .where(_receipt.number == number, _receipt.first_row <= row, _receipt.last_row >= row)
            .values(found=_receipt.found - messages)
        )


def list_receipts(connection: Connection, number: str, limit: int) -> tuple[Receipt, ...]:
    """Return the newest first; messages erased since then count as delivered."""
    query = (
        select(tables.gap_receipt, _not_delivered.label("waiting"))
        .where(_receipt.number == number)
        .order_by(_receipt.id.desc())
        .limit(limit)
    )
    return tuple(
        Receipt(
            id=row.id,
            pts_from=row.pts_from,
            pts_to=row.pts_to,
            began=row.began,
            created=row.created,
            found=row.found,
            delivered=max(0, row.found - row.waiting),
            missing=row.missing,
            detail=row.detail,
        )
        for row in connection.execute(query)
    )


def _still_stored(
    connection: Connection, number: str, traces: Sequence[GapTrace]
) -> frozenset[int]:
    rows = {each.row for each in traces if each.row is not None}
    if not rows:
        return frozenset()
    # A range, because there may be more rows than a statement allows parameters.
    query = select(_row.id).where(_row.number == number, _row.id.between(min(rows), max(rows)))
    return frozenset(connection.scalars(query)) & rows
