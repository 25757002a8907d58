"""Erasing what is kept no longer, a few rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, select, update

from supervisor.database import tables
from supervisor.database.tables import RowState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database.database import Database

_row = tables.journal.c


class OldRow(NamedTuple):
    """A delivered message whose content has been kept long enough."""

    id: int
    number: str


class Erasure:
    """Finds what is old, erases it; dead letters stay until somebody has looked at them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_old(self, before: datetime, most: int) -> tuple[OldRow, ...]:
        """Return delivered messages that still have a body, oldest first."""
        query = (
            select(_row.id, _row.number)
            .where(_row.body.is_not(None), _row.done < before, _row.state == RowState.DELIVERED)
            .order_by(_row.done)
            .limit(most)
        )
        async with self._database.read() as connection:
            return tuple(OldRow(*row) for row in await connection.execute(query))

    async def erase_bodies(self, rows: Sequence[OldRow]) -> None:
        """Erase what was written; that it was delivered stays known, so it comes no second time."""
        statement = update(tables.journal).where(
            _row.id.in_([row.id for row in rows]), _row.state == RowState.DELIVERED
        )

        async def unit(connection: AsyncConnection) -> None:
            await connection.execute(statement.values(body=None))

        await self._database.write(unit)

    async def delete_rows(self, before: datetime, most: int) -> int:
        """Forget delivered messages altogether; return how many were forgotten."""
        old = select(_row.id).where(_row.done < before, _row.state == RowState.DELIVERED)
        statement = delete(tables.journal).where(
            _row.id.in_(old.order_by(_row.done).limit(most)), _row.body.is_(None)
        )

        async def unit(connection: AsyncConnection) -> int:
            return (await connection.execute(statement)).rowcount

        return await self._database.write(unit)
