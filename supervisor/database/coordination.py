"""How nodes agree through the database that they share: short transactions, and wake-up calls."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from supervisor.background_loop import BackgroundLoop
from supervisor.database.database import Access
from supervisor.database.engines import coordinating_engine
from supervisor.database.transactions import GreenletTransactor
from supervisor.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection
    from sqlalchemy.ext.asyncio import AsyncConnection

Answer = TypeVar("Answer")
Given = ParamSpec("Given")

CHANNEL = "telefix"
EVERYBODY = ""
COALESCE = 0.03  # seconds in which wake-ups are collected, because each NOTIFY costs a commit
_NOTIFY = text(f"SELECT pg_notify('{CHANNEL}', unnest(CAST(:names AS text[])))")

logger = logging.getLogger(__name__)


class Coordination:
    """Runs units of work on connections of their own, so that no queue of writes delays a beat."""

    def __init__(self, url: URL, patience: float) -> None:
        """Give up on a transaction after `patience` seconds."""
        self._patience = patience
        self._engine = coordinating_engine(url, patience)
        self._transactor = GreenletTransactor(self._engine, patience)
        self._access = Access("used by this node")
        self._unsent: set[str] = set()
        self._sending: asyncio.Task[None] | None = None
        self._report: Callable[[str], None] = lambda _name: None
        self._listener: AsyncConnection | None = None
        self._listening = BackgroundLoop("wake-up calls", self._listen, patience / 2)

    async def run(
        self,
        unit: Callable[Concatenate[Connection, Given], Answer],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> Answer:
        """Run a unit in a transaction; one that takes too long counts as an outage."""
        with self._access.watched():
            return await self._transactor.transact(lambda each: unit(each, *args, **kwargs))

    def listen(self, receive: Callable[[str], None]) -> None:
        """Call `receive` with the name of a number, or with `EVERYBODY`, when another node notifies us."""
        self._report = receive
        self._listening.start()

    def notify(self, name: str) -> None:
        """Wake the node that runs this number, which would otherwise find the message a little later."""
        self._unsent.add(name)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), name="wake-up calls to nodes")

    async def stop(self) -> None:
        await self._listening.stop()
        if self._sending is not None:
            await self._sending
        await self._close_listener()
        await self._transactor.dispose()

    async def _send(self) -> None:
        while self._unsent:
            await asyncio.sleep(COALESCE)
            names, self._unsent = sorted(self._unsent), set()
            try:
                await self.run(_send_notifications, names)
            except DatabaseUnavailable as exc:  # polling finds what was missed
                logger.debug("no node could be woken: %s", exc)
            except Exception:  # the root of the task
                logger.exception("no node could be woken")
        self._sending = None

    async def _listen(self) -> float:
        """Keep a connection that listens, and make another one when it is lost."""
        with self._access.watched():
            async with asyncio.timeout(self._patience):
                if self._listener is None:
                    await self._open_listener()
                    self._report(EVERYBODY)  # what was sent in the meantime is lost
                else:
                    await self._listener.execute(select(1))
        return self._patience / 2

    async def _open_listener(self) -> None:
        self._listener = await self._engine.connect()
        try:
            # In a transaction it would receive nothing.
            _ = await self._listener.execution_options(isolation_level="AUTOCOMMIT")
            held = await self._listener.get_raw_connection()
            driver: Any = held.driver_connection
            await driver.add_listener(CHANNEL, self._receive)
            driver.add_termination_listener(self._forget_listener)
        except BaseException:  # cancelled or failed: no connection stays open
            await self._close_listener()
            raise

    def _receive(self, _connection: object, _pid: int, _channel: str, name: str) -> None:
        self._report(name)

    def _forget_listener(self, _connection: object) -> None:
        self._listener = None

    async def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(SQLAlchemyError, OSError):  # it may be broken
                await listener.invalidate()
                await listener.close()


def _send_notifications(connection: Connection, names: list[str]) -> None:
    connection.execute(_NOTIFY, {"names": names})
