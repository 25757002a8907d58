"""Records starts, restarts and errors of a number's workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from supervisor.database import tables
from supervisor.database.epoch import Claim, require_fresh
from supervisor.errors import StaleEpoch
from supervisor.store import numbers
from supervisor.store.nodes import owns

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.store.values import LastError, Number


class Runs:
    """Each method raises `StaleEpoch` if the number has been started again since then."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.incarnation: str | None = None
        """The node in whose name workers are started, if there are several."""

    async def take_epoch(self, number: str, seen: int) -> int:
        """Begin a new epoch before a worker starts, if `seen` is still the current one."""
        incarnation = self.incarnation

        def unit(connection: Connection) -> int:
            require_fresh(connection, Claim(number, seen))
            if incarnation is not None and not connection.scalar(select(owns(incarnation, number))):
                raise StaleEpoch("another node runs the number")
            numbers.change(connection, number, epoch=seen + 1)
            return seen + 1

        return await self._database.write(unit)

    async def park(self, number: str, epoch: int, reason: str) -> Number:
        return await self._write(number, epoch, parked=reason)

    async def count_restart(self, number: str, epoch: int) -> Number:
        return await self._write(number, epoch, restarts=tables.number.c.restarts + 1)

    async def set_last_error(self, number: str, epoch: int, error: LastError | None) -> Number:
        return await self._write(number, epoch, **numbers.error_values(error))

    async def _write(self, number: str, at: int, /, **values: Any) -> Number:
        def unit(connection: Connection) -> Number:
            require_fresh(connection, Claim(number, at))
            numbers.change(connection, number, **values)
            return numbers.read(connection, number)

        return await self._database.write(unit)
