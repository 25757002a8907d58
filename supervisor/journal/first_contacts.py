"""Stores what a number has used of its budgets, and which messages to strangers wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, insert, literal, select, update

from supervisor.database import number_tables, tables
from supervisor.database.tables import Direction, RowState
from supervisor.database.transactions import insert_missing
from supervisor.errors import NumberUnknown
from supervisor.governor.budget import (
    DAY,
    REMEMBERED,
    Grant,
    Outlook,
    Settings,
    Suspicion,
    Usage,
    outlook,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from session_worker.protocol.messages import Incoming
    from supervisor.database.database import Database

_first = number_tables.first_contact.c
_look_up = number_tables.phone_look_up.c
_governor = number_tables.governor.c
_row = tables.journal.c
_chat = tables.chat.c

ANSWERED = 0.0
"""Stands for the time of a grant that cost nothing, because the contact wrote first."""


@dataclass(frozen=True, slots=True)
class FirstContact:
    """The first message to a stranger: granted, or waiting with a reason that Planfix is told."""

    granted: float | None
    expected: float | None = None
    code: str | None = None
    notice: Incoming | None = None


def write_first_contact(
    connection: Connection, number: str, peer_id: int, row: int, first: FirstContact
) -> None:
    values = {"number": number, "peer_id": peer_id, "row": row, "granted": first.granted}
    insert_missing(connection, number_tables.first_contact, values)


def is_granted() -> ColumnElement[bool]:
    """Select the rows of the journal whose chats do not wait for a grant."""
    waiting = exists().where(
        _first.number == _row.number, _first.peer_id == _row.peer_id, _first.granted.is_(None)
    )
    return ~waiting


def is_first() -> ColumnElement[bool]:
    """Select the rows that open a chat with a stranger who has not written meanwhile."""
    of_chat = (_first.number == _row.number) & (_first.peer_id == _row.peer_id)
    return exists().where(of_chat, _first.row == _row.id, _first.granted > ANSWERED)


class Budgets:
    """What one number has used of its budgets, and what it may use."""

    def __init__(self, database: Database, number: str) -> None:
        self._database = database
        self._number = number

    async def load(self, now: float) -> tuple[Settings, Usage]:
        return await self._database.read(_load, self._number, now)

    async def answered(self) -> Sequence[int]:
        """Return those who wait although they have written to the number since."""
        return await self._database.read(_answered, self._number)

    async def outlook(self, now: float) -> Outlook:
        """Return what is left of the budgets."""
        return outlook(*await self.load(now), now)

    async def save_settings(self, changes: Mapping[str, Any]) -> None:
        """Change some settings; without any changes, all of them become the defaults again."""
        await self._database.write(_save_settings, self._number, changes)

    async def is_stranger(self, peer_id: int) -> bool:
        """Whether neither side has written to the other through this gateway."""
        return await self._database.read(_is_stranger, self._number, peer_id)

    async def grant(self, peers: Sequence[int], at: float) -> None:
        await self._database.write(_grant, self._number, peers, at)

    async def expect(self, code: str, moments: Mapping[int, float]) -> None:
        """Show when the waiting messages to these people are expected to be sent."""
        await self._database.write(_expect, self._number, code, moments)

    async def suspect(self, suspicion: Suspicion) -> None:
        await self._database.write(_suspect, self._number, suspicion)

    async def count_look_up(self, now: float) -> None:
        await self._database.write(_count_look_up, self._number, now)


def _load(connection: Connection, number: str, now: float) -> tuple[Settings, Usage]:
    began = connection.execute(
        select(tables.number.c.created).where(tables.number.c.digits == number)
    ).scalar()
    if began is None:
        raise NumberUnknown
    stored = connection.execute(
        select(number_tables.governor).where(_governor.number == number)
    ).first()
    recent = select(_first.granted, _first.peer_id).where(
        _first.number == number, _first.granted > now - REMEMBERED
    )
    held = (
        select(_first.peer_id)
        .where(_first.number == number, _first.granted.is_(None))
        .order_by(_first.row)
    )
    look_ups = select(_look_up.at).where(_look_up.number == number, _look_up.at > now - DAY)
    usage = Usage(
        began=began.timestamp(),
        grants=tuple(Grant(*row) for row in connection.execute(recent.order_by(_first.granted))),
        held=tuple(connection.scalars(held)),
        look_ups=tuple(connection.scalars(look_ups.order_by(_look_up.at))),
        suspicion=_suspicion_of(stored),
    )
    return Settings.from_text(stored.settings if stored else None), usage


def _answered(connection: Connection, number: str) -> list[int]:
    has_written = exists().where(
        *(_row.number == number, _row.peer_id == _first.peer_id, _row.id > _first.row),
        *(_row.direction == Direction.IN, _row.is_echo.is_(False)),
    )
    waiting = (_first.number == number, _first.granted.is_(None), has_written)
    return list(connection.scalars(select(_first.peer_id).where(*waiting)))


def _suspicion_of(stored: Any) -> Suspicion | None:
    if stored is None or stored.suspected_until is None:
        return None
    return Suspicion(stored.suspected_for, stored.suspected_until, stored.suspected_times)


def _save_settings(connection: Connection, number: str, changes: Mapping[str, Any]) -> None:
    query = select(_governor.settings).where(_governor.number == number)
    stored = Settings.from_text(connection.execute(query).scalar())
    text = stored.changed(changes).as_text() if changes else None
    _write(connection, number, settings=text)


def _suspect(connection: Connection, number: str, suspicion: Suspicion) -> None:
    _write(
        connection,
        number,
        suspected_for=suspicion.cause,
        suspected_until=suspicion.until,
        suspected_times=suspicion.times,
    )


def _write(connection: Connection, number: str, **values: object) -> None:
    insert_missing(connection, number_tables.governor, {"number": number, "suspected_times": 0})
    connection.execute(
        update(number_tables.governor).where(_governor.number == number).values(**values)
    )


def _is_stranger(connection: Connection, number: str, peer_id: int) -> bool:
    known = select(literal(1)).where(
        exists().where(_chat.number == number, _chat.peer_id == peer_id)
    )
    return connection.execute(known).first() is None


def _grant(connection: Connection, number: str, peers: Sequence[int], at: float) -> None:
    waiting = (_first.number == number, _first.peer_id.in_(peers), _first.granted.is_(None))
    rows = connection.scalars(select(_first.row).where(*waiting)).all()
    connection.execute(update(number_tables.first_contact).where(*waiting).values(granted=at))
    unheld = {"next_try": None, "error_code": None, "error_detail": None}
    connection.execute(
        update(tables.journal)
        .where(_row.id.in_(rows), _row.number == number, _row.state == RowState.PENDING)
        .values(unheld)
    )


def _expect(connection: Connection, number: str, code: str, moments: Mapping[int, float]) -> None:
    for peer_id, moment in moments.items():
        row = select(_first.row).where(
            _first.number == number, _first.peer_id == peer_id, _first.granted.is_(None)
        )
        connection.execute(
            update(tables.journal)
            .where(_row.id.in_(row), _row.number == number, _row.state == RowState.PENDING)
            .values(next_try=moment, error_code=code)
        )


def _count_look_up(connection: Connection, number: str, now: float) -> None:
    old = (_look_up.number == number, _look_up.at <= now - DAY)
    connection.execute(delete(number_tables.phone_look_up).where(*old))
    connection.execute(insert(number_tables.phone_look_up).values(number=number, at=now))
