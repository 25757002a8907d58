"""Stores what was last seen of the watched boards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from supervisor.database.transactions import upsert
from teamflame.store import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.database import Database

_snapshot = tables.snapshot.c


class Snapshots:
    """One snapshot for each watched board."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, board_id: str) -> str | None:
        query = select(_snapshot.content).where(_snapshot.board_id == board_id)
        rows = await self._database.fetch(query)
        return rows[0].content if rows else None

    async def save(self, board_id: str, content: str) -> None:
        row = {"board_id": board_id, "taken": datetime.now(UTC), "content": content}
        await self._database.write(lambda each: upsert(each, tables.snapshot, [row]))

    async def forget(self, board_id: str) -> None:
        gone = delete(tables.snapshot).where(_snapshot.board_id == board_id)

        def unit(connection: Connection) -> None:
            connection.execute(gone)

        await self._database.write(unit)
