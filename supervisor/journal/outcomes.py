"""Writes attempts, outcomes and sent parts into the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, case, delete, func, or_, select, update

from session_worker.protocol.messages import PlanfixStatus
from supervisor.database import history_tables, tables
from supervisor.database.tables import Direction, RowState
from supervisor.database.transactions import pieces, upsert, upsert_counting
from supervisor.journal import receipts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import BindParameter, Connection

    from session_worker.protocol.messages import PartSent
    from supervisor.journal.worker_report import RowOutcome


_TO_BE_SENT = "-"  # also the first character of SENT_SEPARATELY, which is negative
_UNKNOWN = "0"

IS_WHOLE: Final = tables.sent_part.c.message_ids.not_like(f"%{_TO_BE_SENT}%")


def join_ids(message_ids: Sequence[int | None]) -> str:
    return ",".join(_TO_BE_SENT if each is None else str(each) for each in message_ids)


def split_ids(joined: str) -> tuple[int | None, ...]:
    ids = (joined or _UNKNOWN).split(",")
    return tuple(None if each == _TO_BE_SENT else int(each) for each in ids)


_row = tables.journal.c
_mark = tables.telegram_message.c
_chat = tables.chat.c
_part = tables.sent_part.c

_of_row = update(tables.journal).where(
    _row.id == bindparam("of_row"),
    _row.number == bindparam("of_number"),
    _row.state == RowState.PENDING,
)
# An earlier attempt without a known outcome may have reached Planfix as well.
_may_come_twice = (_row.direction == Direction.IN) & _row.is_trying & (bindparam("tries") > 0)
_try = _of_row.values(
    tried=bindparam("now"),
    attempts=_row.attempts + bindparam("tries"),
    is_trying=True,
    is_uncertain=or_(_row.is_uncertain, _may_come_twice),
    # The clock of another machine may have set it, but from now on `tried` is by our own clock.
    next_try=None,
)
_settle = _of_row.values(
    tried=case((bindparam("tries") > 0, bindparam("now", type_=tables.Moment)), else_=_row.tried),
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
            (_row.direction == Direction.OUT)
            & (bindparam("is_dead") == 1)
            & _row.connector.is_(None),
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
_is_read = func.coalesce(_newest <= _read_up_to, False)
_some: BindParameter[Any] = bindparam("rows", expanding=True)
_finish_sent = (
    update(tables.journal)
    .where(
        _row.id.in_(_some),
        _row.number == bindparam("of_number"),
        _row.state == RowState.PENDING,
        _row.parts <= _parts_sent,
    )
    .values(
        state=RowState.DELIVERED,
        done=bindparam("now"),
        is_trying=False,
        next_try=None,
        error_code=None,
        error_detail=None,
        last_id=_newest,
        tried=func.coalesce(_row.tried, bindparam("now", type_=tables.Moment)),
        read=case((_is_read, bindparam("now", type_=tables.Moment)), else_=None),
        status_due=case(
            (_row.connector.is_not(None), None),
            (_is_read, PlanfixStatus.READ.value),
            else_=PlanfixStatus.SENT.value,
        ),
    )
    .returning(_row.id)
)
_sent_by = select(_row.id).where(
    _row.number == bindparam("number"), _row.direction == Direction.OUT, _row.id.in_(_some)
)
_messages_of = (
    select(_mark.row, func.count().label("messages"))
    .join_from(tables.telegram_message, tables.journal, _mark.row == _row.id)
    .group_by(_mark.row)
)
_rows_with = select(_mark.row).where(
    _mark.number == bindparam("number"),
    _mark.change == 0,
    _mark.message_id.in_(bindparam("ids", expanding=True)),
)
_echoes = _messages_of.where(_row.id.in_(_rows_with), _row.is_echo, _row.state == RowState.PENDING)


def write_outcomes(
    connection: Connection, number: str, row_outcomes: Mapping[int, RowOutcome]
) -> list[int]:
    """Write the outcomes, and return the rows that are dead now."""
    of_number = {"of_number": number, "now": tables.now()}
    tried = [
        of_number | {"of_row": row, "tries": outcome.tries}
        for row, outcome in row_outcomes.items()
        if outcome.state is None
    ]
    settled = [
        of_number | {"of_row": row, **_settled_values(outcome)}
        for row, outcome in row_outcomes.items()
        if outcome.state is not None
    ]
    if tried:
        connection.execute(_try, tried)
    if settled:
        connection.execute(_settle, settled)
        _write_failed_tries(connection, number, row_outcomes)
    return [row for row, outcome in row_outcomes.items() if outcome.state is RowState.DEAD]


def _write_failed_tries(
    connection: Connection, number: str, row_outcomes: Mapping[int, RowOutcome]
) -> None:
    """Count the failures of a row by their reason, so that hours of retries stay a few entries."""
    failed = {row: each.failure for row, each in row_outcomes.items() if each.failure is not None}
    if not failed:
        return
    now = tables.now()
    query = select(_row.id, _row.replays).where(_row.number == number, _row.id.in_(failed))
    values = [
        {
            "row": row,
            "replays": replays,
            "code": failed[row].code,
            "detail": failed[row].detail,
            "times": max(1, row_outcomes[row].tries),
            "first": now,
            "last": now,
        }
        for row, replays in connection.execute(query)
    ]
    upsert_counting(connection, history_tables.failed_try, values, "times", keep=["first"])


def write_parts(
    connection: Connection, number: str, parts: Sequence[PartSent]
) -> tuple[list[int], list[int]]:
    """Write the sent parts; return the rows that are sent completely and the deleted echoes.

    An echo is our own message that came in as if the account's owner had written it elsewhere.
    """
    if not parts:
        return [], []
    parts = _of_number(connection, number, parts)
    sent = {(part.row, part.part): join_ids(part.message_ids) for part in parts}
    values = [{"row": row, "part": part, "message_ids": ids} for (row, part), ids in sent.items()]
    upsert(connection, tables.sent_part, values)
    ids = {found: part.row for part in parts for found in part.message_ids if found and found > 0}
    echoes = _drop_echoes(connection, number, list(ids))
    marks = [
        {"number": number, "message_id": message_id, "change": 0, "row": row}
        for message_id, row in ids.items()
    ]
    upsert(connection, tables.telegram_message, marks)
    return _finish(connection, number, [part.row for part in parts]), echoes


def erase_left_out(connection: Connection, number: str, rows: Sequence[int]) -> list[int]:
    """Erase waiting messages whose chats are left out by now, and return the erased rows."""
    if not rows:
        return []
    query = _messages_of.where(
        _row.id.in_(rows),
        _row.direction == Direction.IN,
        _row.state == RowState.PENDING,
        _row.number == number,
    )
    return _drop(connection, number, {row.row: row.messages for row in connection.execute(query)})


def _of_number(connection: Connection, number: str, parts: Sequence[PartSent]) -> list[PartSent]:
    """Leave out parts of rows that do not belong, or no longer belong, to the number."""
    rows = [part.row for part in parts]
    known = set(connection.scalars(_sent_by, {"number": number, "rows": rows}))
    return [part for part in parts if part.row in known]


def _drop_echoes(connection: Connection, number: str, ids: list[int]) -> list[int]:
    echoes: dict[int, int] = {}
    for piece in pieces(ids):
        found = connection.execute(_echoes, {"number": number, "ids": piece})
        echoes |= {row.row: row.messages for row in found}
    return _drop(connection, number, echoes)


def _drop(connection: Connection, number: str, rows: Mapping[int, int]) -> list[int]:
    """Delete rows, each of which has so many messages, as if they had never come in."""
    if rows:
        receipts.leave_out(connection, number, rows)
    for piece in pieces(rows):
        connection.execute(delete(tables.journal).where(_row.id.in_(piece)))
    return list(rows)


def _finish(connection: Connection, number: str, rows: list[int]) -> list[int]:
    values = {"of_number": number, "rows": rows, "now": tables.now()}
    return list(connection.scalars(_finish_sent, values))


def _settled_values(outcome: RowOutcome) -> dict[str, Any]:
    is_over = outcome.state is not RowState.PENDING
    return {
        "tries": outcome.tries,
        "lost": outcome.is_uncertain,
        "new_state": outcome.state,
        "next_try": outcome.failure and outcome.failure.next_try,
        "error_code": outcome.failure and outcome.failure.code,
        "error_detail": outcome.failure and outcome.failure.detail,
        "done": tables.now() if is_over else None,
        "is_dead": int(outcome.state is RowState.DEAD),
    }
