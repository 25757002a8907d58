"""The keys in the database: proof of SECRET_KEY, rotation of what it wraps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select, update

from supervisor.database import tables
from supervisor.database.upsert import insert_missing
from supervisor.encryption.vault import KEY_ID_BYTES
from supervisor.errors import SealBroken, SecretKeyWrong

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault

_number = tables.number.c
_key_id = func.substr(_number.data_key, 1, KEY_ID_BYTES)
_check = select(tables.gateway.c.key_check)


class Piece(NamedTuple):
    """What one step of a rotation did: data keys moved, numbers whose data key does not open."""

    moved: int
    stuck: tuple[str, ...]
    last: str


class Keys:
    """What is wrapped by SECRET_KEY itself."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @property
    def are_several(self) -> bool:
        """Whether SECRET_KEY lists older keys too."""
        return len(self._vault.key_ids) > 1

    async def verify(self) -> None:
        """Raise `SecretKeyWrong` unless SECRET_KEY opens all that the database, if not new, holds."""
        if not await self._database.has_table("gateway"):
            return
        foreign = select(func.count()).where(_key_id.not_in(self._vault.key_ids))
        async with self._database.read() as connection:
            stored = (await connection.execute(_check)).scalar()
            missed = (await connection.execute(foreign)).scalar_one()
        if stored is not None:
            self._vault.require_key_of(stored)
        if missed:
            raise SecretKeyWrong(f"numbers that need another key: {missed}")

    async def remember(self) -> None:
        """Leave the proof that `verify` asks for, unless there is one."""
        await self._database.write(self._remember)

    async def count_old(self) -> int:
        """Tell how much is still wrapped by an older key of SECRET_KEY, the proof included."""
        old = select(func.count()).where(_key_id != self._vault.current_key_id)
        async with self._database.read() as connection:
            check = (await connection.execute(_check)).scalar_one()
            count: int = (await connection.execute(old)).scalar_one()
        return count + (not self._vault.is_current(check))

    async def rewrap(self, after: str = "", most: int = 100) -> Piece | None:
        """Move data keys of the next numbers to the first key of SECRET_KEY; nothing if none is left."""
        return await self._database.write(lambda connection: self._rewrap(connection, after, most))

    async def finish(self) -> None:
        """Renew the proof, unless a data key needs an older key still."""
        await self._database.write(self._finish)

    async def _remember(self, connection: AsyncConnection) -> None:
        row = {"id": 1, "key_check": self._vault.key_check()}
        await insert_missing(connection, tables.gateway, row)

    async def _rewrap(self, connection: AsyncConnection, after: str, most: int) -> Piece | None:
        old = (_key_id != self._vault.current_key_id) & (_number.digits > after)
        query = select(_number.digits, _number.data_key).where(old).order_by(_number.digits)
        rows = (await connection.execute(query.limit(most).with_for_update())).all()
        if not rows:
            return None
        stuck = [
            number
            for number, wrapped in rows
            if not await self._rewrap_data_key(connection, number, wrapped)
        ]
        return Piece(len(rows) - len(stuck), tuple(stuck), rows[-1].digits)

    async def _rewrap_data_key(
        self, connection: AsyncConnection, number: str, wrapped: bytes
    ) -> bool:
        try:
            renewed = self._vault.rewrap_data_key(number, wrapped)
        except (SealBroken, SecretKeyWrong):
            return False
        change = update(tables.number).where(_number.digits == number)
        await connection.execute(change.values(data_key=renewed))
        return True

    async def _finish(self, connection: AsyncConnection) -> None:
        old = select(_number.digits).where(_key_id != self._vault.current_key_id)
        if (await connection.execute(old.limit(1))).first() is None:
            change = update(tables.gateway).values(key_check=self._vault.key_check())
            await connection.execute(change)
