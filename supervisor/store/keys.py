"""Stores the proof of SECRET_KEY, and re-wraps data keys when SECRET_KEY changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select, update

from supervisor.database import tables
from supervisor.database.transactions import insert_missing
from supervisor.encryption.vault import KEY_ID_BYTES
from supervisor.errors import SealBroken, SecretKeyWrong

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault

_number = tables.number.c
_key_id = func.substr(_number.data_key, 1, KEY_ID_BYTES)
_check = select(tables.gateway.c.key_check)


class RewrapStep(NamedTuple):
    """How many data keys a step re-wrapped, the numbers whose keys do not open, and the last number."""

    moved: int
    stuck: tuple[str, ...]
    last: str


class Keys:
    """The data keys and the proof, which are wrapped by SECRET_KEY itself."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @property
    def are_several(self) -> bool:
        """Whether SECRET_KEY also lists older keys."""
        return len(self._vault.key_ids) > 1

    async def verify(self) -> None:
        """Raise `SecretKeyWrong` unless SECRET_KEY opens what is in the database, if anything."""
        if not await self._database.has_table("gateway"):
            return
        stored, missed = await self._database.read(self._find_foreign)
        if stored is not None:
            self._vault.require_key_of(stored)
        if missed:
            raise SecretKeyWrong(f"numbers that need another key: {missed}")

    async def remember(self) -> None:
        """Store the proof that `verify` checks, unless there is one."""
        await self._database.write(self._remember)

    async def count_old(self) -> int:
        """Count what is still wrapped by an older key of SECRET_KEY, including the proof."""
        return await self._database.read(self._count_old)

    async def rewrap(self, after: str = "", most: int = 100) -> RewrapStep | None:
        """Re-wrap the data keys of the next numbers with the first key; None if there are none."""
        return await self._database.write(self._rewrap, after, most)

    async def finish(self) -> None:
        """Renew the proof, unless a data key still needs an older key."""
        await self._database.write(self._finish)

    def _find_foreign(self, connection: Connection) -> tuple[bytes | None, int]:
        foreign = select(func.count()).where(_key_id.not_in(self._vault.key_ids))
        return connection.execute(_check).scalar(), connection.execute(foreign).scalar_one()

    def _count_old(self, connection: Connection) -> int:
        old = select(func.count()).where(_key_id != self._vault.current_key_id)
        check = connection.execute(_check).scalar_one()
        return connection.execute(old).scalar_one() + (not self._vault.is_current(check))

    def _remember(self, connection: Connection) -> None:
        row = {"id": 1, "key_check": self._vault.key_check()}
        insert_missing(connection, tables.gateway, row)

    def _rewrap(self, connection: Connection, after: str, most: int) -> RewrapStep | None:
        old = (_key_id != self._vault.current_key_id) & (_number.digits > after)
        query = select(_number.digits, _number.data_key).where(old).order_by(_number.digits)
        rows = connection.execute(query.limit(most).with_for_update()).all()
        if not rows:
            return None
        stuck = [
            number
            for number, wrapped in rows
            if not self._rewrap_data_key(connection, number, wrapped)
        ]
        return RewrapStep(len(rows) - len(stuck), tuple(stuck), rows[-1].digits)

    def _rewrap_data_key(self, connection: Connection, number: str, wrapped: bytes) -> bool:
        try:
            renewed = self._vault.rewrap_data_key(number, wrapped)
        except (SealBroken, SecretKeyWrong):
            return False
        change = update(tables.number).where(_number.digits == number)
        connection.execute(change.values(data_key=renewed))
        return True

    def _finish(self, connection: Connection) -> None:
        old = select(_number.digits).where(_key_id != self._vault.current_key_id)
        if connection.execute(old.limit(1)).first() is None:
            change = update(tables.gateway).values(key_check=self._vault.key_check())
            connection.execute(change)
