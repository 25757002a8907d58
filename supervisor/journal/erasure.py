"""Erases old messages, a few rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, or_, select, update

from supervisor.database import bot_tables, history_tables, notification_tables, tables
from supervisor.database.node_tables import stored_file
from supervisor.database.tables import RowState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Delete, Update

    from supervisor.database.database import Database

_row = tables.journal.c
_notification = notification_tables.notification.c
_recipient = notification_tables.recipient.c
_audit = history_tables.audit.c

PURGED = "purged"
"""What the audit log calls the end of a number whose data was erased."""

IS_OVER = or_(_row.state == RowState.DELIVERED, _row.dismissed.is_not(None))


class OldRow(NamedTuple):
    """A message whose content is old enough to be erased."""

    id: int
    number: str


class Erasure:
    """Finds and erases old messages that were delivered, and dead letters that were dismissed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_old(self, before: datetime, most: int) -> tuple[OldRow, ...]:
        """Return messages that are over and still have a body, the oldest first."""
        query = (
            select(_row.id, _row.number)
            .where(_row.body.is_not(None), _row.done < before, IS_OVER)
            .order_by(_row.done)
            .limit(most)
        )
        return tuple(OldRow(*row) for row in await self._database.fetch(query))

    async def find_kept(self, rows: Collection[OldRow]) -> frozenset[OldRow]:
        """Return those of the messages that still have a body."""
        ids = [row.id for row in rows]
        query = select(_row.id, _row.number).where(_row.id.in_(ids), _row.body.is_not(None))
        return frozenset(OldRow(*row) for row in await self._database.fetch(query))

    async def numbers(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the numbers that there are, and those that were purged."""
        known = await self._database.fetch(select(tables.number.c.digits))
        purged = await self._database.fetch(
            select(_audit.number).where(_audit.action == PURGED).distinct()
        )
        there = frozenset(row.digits for row in known)
        return there, frozenset(row.number for row in purged if row.number) - there

    async def delete_files(self, before: datetime) -> None:
        """Delete the files that nodes stored for each other; the links to them have expired."""
        await self._execute(delete(stored_file).where(stored_file.c.created < before))

    async def erase_bodies(self, rows: Sequence[OldRow]) -> None:
        """Erase the bodies; the rows stay, so that no message is delivered a second time."""
        old = update(tables.journal).where(_row.id.in_([row.id for row in rows]), IS_OVER)
        await self._execute(old.values(body=None))

    async def delete_heard(self, before: datetime) -> None:
        """Delete what bots heard, if it was dealt with before this moment."""
        heard = bot_tables.heard
        await self._execute(delete(heard).where(heard.c.done < before))

    async def delete_rows(self, before: datetime, most: int) -> int:
        """Delete the rows of messages that are over, and return how many were deleted."""
        old = select(_row.id).where(_row.done < before, IS_OVER)
        statement = delete(tables.journal).where(
            _row.id.in_(old.order_by(_row.done).limit(most)), _row.body.is_(None)
        )
        return await self._execute(statement)

    async def delete_notifications(self, before: datetime, most: int) -> int:
        """Delete old notifications that no recipient waits for, and return how many were deleted."""
        waiting = select(_recipient.notification).where(_recipient.state == "queued")
        old = (
            select(_notification.id)
            .where(_notification.created < before, _notification.id.not_in(waiting))
            .limit(most)
        )
        statement = delete(notification_tables.notification).where(_notification.id.in_(old))
        return await self._execute(statement)

    async def _execute(self, statement: Delete | Update) -> int:
        """Execute a statement, and return how many rows it has changed."""
        return await self._database.write(_count_changed, statement)


def _count_changed(connection: Connection, statement: Delete | Update) -> int:
    return connection.execute(statement).rowcount
