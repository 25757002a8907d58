"""Stores the hashes of the login links that were issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from supervisor.database import tables
from supervisor.database.statements import upsert
from supervisor.store import number_rows
from supervisor.store.values import LoginLink

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from supervisor.database.database import Database

_link = tables.login_link.c


class LoginLinks:
    """The login links of all numbers, at most one for each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, number: str, link_hash: bytes, expires: datetime) -> None:
        """Store a new link in place of the number's previous one."""
        row = {"number": number, "link_hash": link_hash, "expires": expires, "is_used": False}

        def unit(connection: Connection) -> None:
            number_rows.require(connection, number)
            upsert(connection, tables.login_link, [row])

        await self._database.write(unit)

    async def find(self, link_hash: bytes) -> LoginLink | None:
        query = select(_link.number, _link.expires, _link.is_used)
        rows = await self._database.fetch(query.where(_link.link_hash == link_hash))
        return LoginLink(*rows[0]) if rows else None

    async def use(self, number: str) -> None:
        """Mark the number's link as used, because the number is logged in."""
        used = update(tables.login_link).where(_link.number == number).values(is_used=True)

        def unit(connection: Connection) -> None:
            connection.execute(used)

        await self._database.write(unit)
