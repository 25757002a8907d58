"""What becomes of a number's workers, written in the name of one start of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supervisor.database import tables
from supervisor.database.epoch import Claim, require_fresh
from supervisor.store import numbers

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from supervisor.database.database import Database
    from supervisor.store.values import LastError, Number


class Runs:
    """Bookkeeping on starts; each verb raises `StaleEpoch` when a newer start has taken over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_epoch(self, number: str, seen: int) -> int:
        """Begin a new epoch before a worker starts; whoever saw an older one loses."""
        return (await self._write(number, seen, epoch=seen + 1)).epoch

    async def park(self, number: str, epoch: int, reason: str) -> Number:
        return await self._write(number, epoch, parked=reason)

    async def count_restart(self, number: str, epoch: int) -> Number:
        return await self._write(number, epoch, restarts=tables.number.c.restarts + 1)

    async def set_last_error(self, number: str, epoch: int, error: LastError | None) -> Number:
        return await self._write(number, epoch, **numbers.error_values(error))

    async def _write(self, number: str, at: int, /, **values: Any) -> Number:
        async def unit(connection: AsyncConnection) -> Number:
            await require_fresh(connection, Claim(number, at))
            await numbers.change(connection, number, **values)
            return await numbers.read(connection, number)

        return await self._database.write(unit)
