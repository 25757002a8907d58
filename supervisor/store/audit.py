"""The audit log: who did what to which number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from supervisor.database import tables
from supervisor.store.values import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database.database import Database

_audit = tables.audit.c


class AuditLog:
    """Grows only; an entry outlives its number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, who: str, action: str, number: str | None = None, detail: str | None = None
    ) -> None:
        """Write it down; `detail` must hold no secret."""
        entry = tables.Audit(who=who, action=action, number=number, detail=detail)
        values = entry.model_dump(exclude={"id"})

        async def unit(connection: AsyncConnection) -> None:
            await connection.execute(insert(tables.audit), values)

        await self._database.write(unit)

    async def list(
        self, number: str | None = None, before: int | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Return the entries, newest first, those older than the one with the id `before`."""
        query = select(tables.audit).order_by(_audit.id.desc()).limit(limit)
        if number is not None:
            query = query.where(_audit.number == number)
        if before is not None:
            query = query.where(_audit.id < before)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings()
            return tuple(AuditEntry(**row) for row in rows)
