"""The keys in the database: proof of SECRET_KEY, rotation of what it wraps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from supervisor.store import tables
from supervisor.store.upsert import insert_missing
from supervisor.vault import KEY_ID_BYTES

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database import Database
    from supervisor.vault import Vault

_number = tables.number.c
_check = select(tables.gateway.c.key_check)


class Keys:
    """What is wrapped by SECRET_KEY itself."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def verify(self) -> None:
        """Raise `SecretKeyWrong` unless the database, if not new, was written with our SECRET_KEY."""
        if not await self._database.has_table("gateway"):
            return
        async with self._database.read() as connection:
            stored = (await connection.execute(_check)).scalar()
        if stored is not None:
            self._vault.require_key_of(stored)

    async def remember(self) -> None:
        """Leave the proof that `verify` asks for, unless there is one."""
        await self._database.write(self._remember)

    async def rewrap(self, most: int = 100) -> int:
        """Move data keys to the first key of SECRET_KEY; return how many were moved.

        When none is left the proof follows, after which the older keys may be dropped.
        """
        return await self._database.write(lambda connection: self._rewrap(connection, most))

    async def _remember(self, connection: AsyncConnection) -> None:
        row = {"id": 1, "key_check": self._vault.key_check()}
        await insert_missing(connection, tables.gateway, row)

    async def _rewrap(self, connection: AsyncConnection, most: int) -> int:
        old = func.substr(_number.data_key, 1, KEY_ID_BYTES) != self._vault.current_key_id
        query = select(_number.digits, _number.data_key).where(old).limit(most).with_for_update()
        rows = (await connection.execute(query)).all()
        for number, wrapped in rows:
            await self._rewrap_data_key(connection, number, wrapped)
        if not rows:
            await self._rewrap_check(connection)
        return len(rows)

    async def _rewrap_data_key(
        self, connection: AsyncConnection, number: str, wrapped: bytes
    ) -> None:
        renewed = self._vault.rewrap_data_key(number, wrapped)
        change = update(tables.number).where(_number.digits == number)
        await connection.execute(change.values(data_key=renewed))

    async def _rewrap_check(self, connection: AsyncConnection) -> None:
        stored = (await connection.execute(_check)).scalar_one()
        if not self._vault.is_current(stored):
            renewed = self._vault.key_check()
            await connection.execute(update(tables.gateway).values(key_check=renewed))
