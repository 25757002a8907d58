"""What happened: who did what, the states that numbers were in, when they were last heard, and alarms."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, delete, func, insert, literal_column, select, text, update

from supervisor.database import history_tables, tables
from supervisor.database.history_tables import state_change
from supervisor.database.node_tables import placement
from supervisor.database.tables import RowState
from supervisor.database.transactions import insert_missing
from supervisor.errors import DatabaseUnavailable
from supervisor.store.values import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from supervisor.database.database import Database

MOST_KEPT = 1000  # changes of one number

_change = state_change.c
_alarm = history_tables.alarm.c
_alarms = select(
    *(_alarm.id, _alarm.at, _alarm.body, _alarm.state, _alarm.attempts, _alarm.error, _alarm.done)
)
# A literal, because with a parameter no database would use the partial index of these rows.
IS_PENDING = _alarm.state == literal_column(f"'{RowState.PENDING}'")
_number = tables.number.c


_audit = history_tables.audit.c
_LARGEST_ID = 2**31 - 1  # of an entry; PostgreSQL compares no larger number with the column
_entries = select(
    _audit.id, _audit.at, _audit.who, _audit.action, _audit.number, _audit.detail
).order_by(_audit.id.desc())


class AuditLog:
    """Entries are only added; they stay when their number is purged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, who: str, action: str, number: str | None = None, detail: str | None = None
    ) -> None:
        """Add an entry; `detail` must not contain a secret."""
        entry = history_tables.Audit(who=who, action=action, number=number, detail=detail)
        values = entry.model_dump(exclude={"id"})

        def unit(connection: Connection) -> None:
            connection.execute(insert(history_tables.audit), values)

        await self._database.write(unit)

    async def list(
        self, number: str | None = None, before: int | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Return the newest entries first, or those older than the entry with the id `before`."""
        query = _entries.limit(limit)
        if number is not None:
            query = query.where(_audit.number == number)
        if before is not None:
            query = query.where(_audit.id < min(before, _LARGEST_ID))
        rows = await self._database.fetch(query)
        return tuple(AuditEntry(*row) for row in rows)


class PastState(NamedTuple):
    """A state that a number came into, with the code of its trouble, if it had one."""

    id: int
    number: str
    at: datetime
    state: str
    code: str | None
    detail: str | None


class StoredChange(NamedTuple):
    """A stored change, with the client of its number."""

    id: int
    number: str
    client: str
    at: datetime
    state: str
    code: str | None
    detail: str | None


_stored_changes = (
    select(
        *(_change.id, _change.number, tables.client.c.name, _change.at),
        *(_change.state, _change.code, _change.detail),
    )
    .join(tables.number, _number.digits == _change.number)
    .join(tables.client)
)
# Only one at a time of the nodes that share a PostgreSQL adds changes.
_TAKE_TURN = text("SELECT pg_try_advisory_xact_lock(7351283)")


class History:
    """Keeps the newest changes of each number, for as long as messages are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, changes: Sequence[PastState], owner: str | None = None
    ) -> frozenset[int] | None:
        """Store changes in their order; those of numbers that are gone are left out.

        A node stores only those of numbers that it owns. Changes are committed in the order of their
        ids, so that the other nodes miss none; None means that another node is adding changes now.
        """
        rows = [each._asdict() for each in changes]
        for row in rows:
            del row["id"]

        def unit(connection: Connection) -> frozenset[int] | None:
            if owner is not None and not connection.execute(_TAKE_TURN).scalar_one():
                return None
            query = select(_number.digits).where(_number.digits.in_({r["number"] for r in rows}))
            if owner is not None:
                query = query.join(placement, placement.c.number == _number.digits)
                query = query.where(placement.c.incarnation == owner)
            known = set(connection.scalars(query))
            kept = [row for row in rows if row["number"] in known]
            if not kept:
                return frozenset()
            return frozenset(connection.scalars(insert(state_change).returning(_change.id), kept))

        return await self._database.write(unit)

    async def newest_id(self) -> int:
        rows = await self._database.fetch(select(func.coalesce(func.max(_change.id), 0)))
        return int(rows[0][0])

    async def list_after(self, newest: int, limit: int) -> tuple[StoredChange, ...]:
        """Return the changes after the one with this id, the oldest first."""
        query = _stored_changes.where(_change.id > newest).order_by(_change.id).limit(limit)
        return tuple(StoredChange(*row) for row in await self._database.fetch(query))

    async def list_newest(self, numbers: Collection[str]) -> tuple[StoredChange, ...]:
        """Return the newest change of each of these numbers."""
        newest = select(func.max(_change.id)).where(_change.number.in_(sorted(numbers)))
        query = _stored_changes.where(_change.id.in_(newest.group_by(_change.number)))
        return tuple(StoredChange(*row) for row in await self._database.fetch(query))

    async def list(self, number: str, before: int | None, limit: int) -> tuple[PastState, ...]:
        """Return the newest changes first, or those older than the one with the id `before`."""
        query = select(state_change).where(_change.number == number)
        if before is not None:
            query = query.where(_change.id < before)
        rows = await self._database.fetch(query.order_by(_change.id.desc()).limit(limit))
        return tuple(PastState(r.id, r.number, r.at, r.state, r.code, r.detail) for r in rows)

    async def trim(self, before: datetime) -> None:
        """Delete changes that are too old or too many; the newest change of a number stays."""
        place = func.row_number().over(partition_by=_change.number, order_by=_change.id.desc())
        placed = select(_change.id, _change.at, place.label("place")).subquery()
        too_much = select(placed.c.id).where(
            (placed.c.place > MOST_KEPT) | ((placed.c.at < before) & (placed.c.place > 1))
        )

        def unit(connection: Connection) -> None:
            connection.execute(delete(state_change).where(_change.id.in_(too_much)))

        await self._database.write(unit)

    async def record_heard(self, heard: Mapping[str, float]) -> None:
        """Store when numbers were last heard, so that it is known after a restart of the gateway."""
        statement = update(tables.number).where(_number.digits == bindparam("of_number"))
        values = [{"of_number": number, "heard_at": at} for number, at in heard.items()]

        def unit(connection: Connection) -> None:
            connection.execute(statement.values(heard=bindparam("heard_at")), values)

        if values:
            await self._database.write(unit)


class StoredAlarm(NamedTuple):
    """An alarm, and what became of its delivery."""

    id: str
    at: datetime
    body: str
    state: str
    attempts: int
    error: str | None
    done: datetime | None


class AlarmRows:
    """The alarms that were sent, and those that still have to be sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store the rows that are not there yet: an earlier try may have succeeded without an answer."""
        values = [
            {**row, "state": RowState.PENDING, "attempts": 0, "next_try": 0.0} for row in rows
        ]

        def unit(connection: Connection) -> None:
            insert_missing(connection, history_tables.alarm, values)

        await self._database.write(unit)

    async def due(self, now: float, limit: int) -> tuple[StoredAlarm, ...]:
        """Return the alarms whose next try is due, the oldest first."""
        due = _alarms.where(IS_PENDING, _alarm.next_try <= now).order_by(_alarm.at, _alarm.id)
        return tuple(StoredAlarm(*row) for row in await self._database.fetch(due.limit(limit)))

    async def list(self, limit: int) -> tuple[StoredAlarm, ...]:
        newest = _alarms.order_by(_alarm.at.desc(), _alarm.id).limit(limit)
        return tuple(StoredAlarm(*row) for row in await self._database.fetch(newest))

    async def claim(self, alarm: StoredAlarm, now: float, until: float) -> bool:
        """Keep other nodes from sending an alarm until then; return False if another one has claimed it."""
        statement = (
            update(history_tables.alarm)
            .where(_alarm.id == alarm.id, IS_PENDING, _alarm.next_try <= now)
            .values(next_try=until)
        )

        def unit(connection: Connection) -> bool:
            return connection.execute(statement).rowcount == 1

        return await self._database.write(unit)

    async def record_delivery(self, alarm_id: str) -> None:
        await self._change(
            alarm_id, state=RowState.DELIVERED, done=tables.now(), error=None, next_try=0.0
        )

    async def record_failure(self, alarm_id: str, error: str, next_try: float | None) -> None:
        """Record why a delivery failed, and when it is tried again, or that it never is."""
        if next_try is None:
            await self._change(alarm_id, state=RowState.DEAD, done=tables.now(), error=error)
        else:
            await self._change(alarm_id, error=error, next_try=next_try)

    async def failing_since(self) -> float | None:
        """Return since when nothing can be stored, in seconds since 1970, after one more try."""
        since = self._database.failing_since
        if since is not None:
            with suppress(DatabaseUnavailable):
                await self._database.write(_store_nothing)
                return None
        return since

    async def trim(self, before: datetime) -> None:
        def unit(connection: Connection) -> None:
            connection.execute(delete(history_tables.alarm).where(_alarm.at < before))

        await self._database.write(unit)

    async def _change(self, alarm_id: str, **values: Any) -> None:
        statement = update(history_tables.alarm).where(_alarm.id == alarm_id)

        def unit(connection: Connection) -> None:
            connection.execute(statement.values(attempts=_alarm.attempts + 1, **values))

        await self._database.write(unit)


def _store_nothing(connection: Connection) -> None:
    """Write as much as an alarm takes, but leave nothing of it."""
    trial = {"id": "trial", "at": tables.now(), "body": "", "state": RowState.DEAD}
    values = trial | {"attempts": 0, "next_try": 0.0}
    insert_missing(connection, history_tables.alarm, values)
    connection.execute(delete(history_tables.alarm).where(_alarm.id == "trial"))


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
