"""Writes tries, outcomes and sent parts into the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, case, delete, func, or_, select, update

from session_worker.protocol.messages import PlanfixStatus
from supervisor.database import tables
from supervisor.database.pieces import pieces
from supervisor.database.tables import Direction, RowState
from supervisor.database.upsert import upsert
from supervisor.journal import receipts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from session_worker.protocol.messages import PartSent
    from supervisor.journal.worker_report import RowOutcome


_TO_BE_SENT = "-"  # begins APART, too
_UNKNOWN = "0"

IS_WHOLE: Final = tables.sent_part.c.message_ids.not_like(f"%{_TO_BE_SENT}%")


def write(message_ids: Sequence[int | None]) -> str:
    return ",".join(_TO_BE_SENT if each is None else str(each) for each in message_ids)


def read(written: str) -> tuple[int | None, ...]:
    words = (written or _UNKNOWN).split(",")
    return tuple(None if word == _TO_BE_SENT else int(word) for word in words)


_row = tables.journal.c
_mark = tables.telegram_message.c
_chat = tables.chat.c
_part = tables.sent_part.c

_of_row = update(tables.journal).where(
    _row.id == bindparam("of_row"),
    _row.number == bindparam("of_number"),
    _row.state == RowState.PENDING,
)
# A try that nobody told the outcome of may have got through to Planfix before this one.
_may_come_twice = (_row.direction == Direction.IN) & _row.is_trying & (bindparam("tries") > 0)
_try = _of_row.values(
    attempts=_row.attempts + bindparam("tries"),
    is_trying=True,
    is_uncertain=or_(_row.is_uncertain, _may_come_twice),
)
_settle = _of_row.values(
    attempts=_row.attempts + bindparam("tries"),
    is_trying=False,
    is_uncertain=or_(_row.is_uncertain, bindparam("lost"), _may_come_twice),
    state=bindparam("new_state"),
    next_try=bindparam("next_try"),
    error_code=bindparam("error_code"),
    error_detail=bindparam("error_detail"),
    done=bindparam("done"),
    status_due=case(
        (
            (_row.direction == Direction.OUT) & (bindparam("is_dead") == 1),
            PlanfixStatus.ERROR.value,
        ),
        else_=_row.status_due,
    ),
)
_newest = (
    select(func.max(_mark.message_id))
    .where(_mark.number == _row.number, _mark.row == _row.id)
    .scalar_subquery()
)
_read_up_to = (
    select(_chat.read_up_to)
    .where(_chat.number == _row.number, _chat.peer_id == _row.peer_id)
    .scalar_subquery()
)
_parts_sent = select(func.count()).where(_part.row == _row.id, IS_WHOLE).scalar_subquery()


async def write_outcomes(
    connection: AsyncConnection, number: str, words: Mapping[int, RowOutcome]
) -> list[int]:
    """Return the rows that died, as far as it was said."""
    of_number = {"of_number": number}
    tried = [
        of_number | {"of_row": row, "tries": word.tries}
        for row, word in words.items()
        if word.state is None
    ]
    settled = [
        of_number | {"of_row": row, **_outcome(word)}
        for row, word in words.items()
        if word.state is not None
    ]
    if tried:
        await connection.execute(_try, tried)
    if settled:
        await connection.execute(_settle, settled)
    return [row for row, word in words.items() if word.state is RowState.DEAD]


async def write_parts(
    connection: AsyncConnection, number: str, parts: Sequence[PartSent]
) -> tuple[list[int], list[int]]:
    """Return the rows that are sent by now, the echoes that turned out to be our own."""
    if not parts:
        return [], []
    parts = await _of_number(connection, number, parts)
    sent = {(part.row, part.part): write(part.message_ids) for part in parts}
    values = [{"row": row, "part": part, "message_ids": ids} for (row, part), ids in sent.items()]
    await upsert(connection, tables.sent_part, values)
    ids = {found: part.row for part in parts for found in part.message_ids if found and found > 0}
    echoes = await _drop_echoes(connection, number, list(ids))
    marks = [
        {"number": number, "message_id": message_id, "change": 0, "row": row}
        for message_id, row in ids.items()
    ]
    await upsert(connection, tables.telegram_message, marks)
    return await _finish(connection, number, [part.row for part in parts]), echoes


async def _of_number(
    connection: AsyncConnection, number: str, parts: Sequence[PartSent]
) -> list[PartSent]:
    """Leave out rows that are not, or no longer, the number's own."""
    query = select(_row.id).where(
        _row.number == number,
        _row.direction == Direction.OUT,
        _row.id.in_({part.row for part in parts}),
    )
    known = set(await connection.scalars(query))
    return [part for part in parts if part.row in known]


async def _drop_echoes(connection: AsyncConnection, number: str, ids: list[int]) -> list[int]:
    echoes: dict[int, int] = {}
    for piece in pieces(ids):
        rows = select(_mark.row).where(
            _mark.number == number, _mark.change == 0, _mark.message_id.in_(piece)
        )
        query = (
            select(_mark.row, func.count().label("messages"))
            .join_from(tables.telegram_message, tables.journal, _mark.row == _row.id)
            .where(_row.id.in_(rows), _row.is_echo, _row.state == RowState.PENDING)
            .group_by(_mark.row)
        )
        echoes |= {row.row: row.messages for row in await connection.execute(query)}
    if echoes:
        await receipts.leave_out(connection, number, echoes)
    for piece in pieces(echoes):
        await connection.execute(delete(tables.journal).where(_row.id.in_(piece)))
    return list(echoes)


async def _finish(connection: AsyncConnection, number: str, rows: list[int]) -> list[int]:
    is_read = func.coalesce(_newest <= _read_up_to, False)
    values: dict[str, Any] = {
        "state": RowState.DELIVERED,
        "done": tables.now(),
        "is_trying": False,
        "next_try": None,
        "error_code": None,
        "error_detail": None,
        "last_id": _newest,
        "status_due": case((is_read, PlanfixStatus.READ.value), else_=PlanfixStatus.SENT.value),
    }
    statement = update(tables.journal).where(
        _row.id.in_(rows),
        _row.number == number,
        _row.state == RowState.PENDING,
        _row.parts <= _parts_sent,
    )
    return list(await connection.scalars(statement.values(values).returning(_row.id)))


def _outcome(word: RowOutcome) -> dict[str, Any]:
    is_over = word.state is not RowState.PENDING
    return {
        "tries": word.tries,
        "lost": word.is_uncertain,
        "new_state": word.state,
        "next_try": word.failure and word.failure.next_try,
        "error_code": word.failure and word.failure.code,
        "error_detail": word.failure and word.failure.detail,
        "done": tables.now() if is_over else None,
        "is_dead": int(word.state is RowState.DEAD),
    }
