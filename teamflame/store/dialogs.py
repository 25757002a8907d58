"""Stores what the bot waits for, and what its buttons do."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from supervisor.database.transactions import upsert
from teamflame.store import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from supervisor.database.database import Database

_dialog = tables.dialog.c
_button = tables.button.c

LIFETIME = timedelta(days=30)


class Dialogs:
    """The dialogs and buttons of all Telegram users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: int) -> tuple[str, str]:
        """Return the step and what belongs to it."""
        query = select(_dialog.step, _dialog.detail).where(_dialog.user_id == user_id)
        rows = await self._database.fetch(query)
        return (rows[0].step, rows[0].detail) if rows else ("", "")

    async def save(self, user_id: int, step: str, detail: str) -> None:
        row = {
            "user_id": user_id,
            "step": step,
            "detail": detail,
            "changed": datetime.now(UTC),
        }
        await self._database.write(lambda each: upsert(each, tables.dialog, [row]))

    async def add_buttons(self, user_id: int, actions: Sequence[str]) -> tuple[str, ...]:
        """Store what buttons do; return their opaque ids."""
        if not actions:
            return ()
        now = datetime.now(UTC)
        rows = [
            {"id": secrets.token_urlsafe(18), "user_id": user_id, "action": action, "made": now}
            for action in actions
        ]

        def unit(connection: Connection) -> None:
            connection.execute(insert(tables.button), rows)

        await self._database.write(unit)
        return tuple(str(row["id"]) for row in rows)

    async def find_button(self, button: str) -> tuple[int, str] | None:
        """Return whose button it is, and what it does."""
        query = select(_button.user_id, _button.action).where(_button.id == button)
        rows = await self._database.fetch(query)
        return (rows[0].user_id, rows[0].action) if rows else None

    async def erase_old(self) -> None:
        """Forget buttons that nobody looks for any more."""
        old = delete(tables.button).where(_button.made < datetime.now(UTC) - LIFETIME)

        def unit(connection: Connection) -> None:
            connection.execute(old)

        await self._database.write(unit)
