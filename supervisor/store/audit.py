"""The audit log: who did what to which number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from supervisor.database import history_tables as tables
from supervisor.store.values import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.database import Database

_audit = tables.audit.c
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
        entry = tables.Audit(who=who, action=action, number=number, detail=detail)
        values = entry.model_dump(exclude={"id"})

        def unit(connection: Connection) -> None:
            connection.execute(insert(tables.audit), values)

        await self._database.write(unit)

    async def list(
        self, number: str | None = None, before: int | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Return the newest entries first, or those older than the entry with the id `before`."""
        query = _entries.limit(limit)
        if number is not None:
            query = query.where(_audit.number == number)
        if before is not None:
            query = query.where(_audit.id < before)
        rows = await self._database.fetch(query)
        return tuple(AuditEntry(*row) for row in rows)
