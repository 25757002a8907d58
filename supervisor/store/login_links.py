"""The login links that were given out, as hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from supervisor.database import tables
from supervisor.database.upsert import upsert
from supervisor.store import numbers
from supervisor.store.values import LoginLink

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database.database import Database

_link = tables.login_link.c


class LoginLinks:
    """Stored links of all numbers, one for each at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, number: str, link_hash: bytes, expires: datetime) -> None:
        """Keep a new link in place of the number's last."""
        row = {"number": number, "link_hash": link_hash, "expires": expires, "is_used": False}

        async def unit(connection: AsyncConnection) -> None:
            await numbers.require(connection, number)
            await upsert(connection, tables.login_link, [row])

        await self._database.write(unit)

    async def find(self, link_hash: bytes) -> LoginLink | None:
        query = select(_link.number, _link.expires, _link.is_used)
        async with self._database.read() as connection:
            found = await connection.execute(query.where(_link.link_hash == link_hash))
            row = found.first()
        return LoginLink(*row) if row else None

    async def use(self, number: str) -> None:
        """Note that the number is logged in: its link has done its work."""
        used = update(tables.login_link).where(_link.number == number).values(is_used=True)

        async def unit(connection: AsyncConnection) -> None:
            await connection.execute(used)

        await self._database.write(unit)
