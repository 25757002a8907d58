"""How gateways agree through a PostgreSQL: a lock keeps out those that must not share it, and nodes wake each other."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from supervisor.background_loop import BackgroundLoop
from supervisor.database.database import Access
from supervisor.database.engines import coordinating_engine
from supervisor.database.transactions import GreenletTransactor
from supervisor.errors import DatabaseNotShared, DatabaseOwned, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL, Connection, TextClause
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

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


PATIENCE = 3.0  # seconds to wait for an owner that is ending
PAUSE = 0.2  # seconds between two tries
BEAT = 1.0  # seconds between two checks of the connection

_BACKEND = text("SELECT pg_backend_pid()")
_TRY = text("SELECT pg_try_advisory_lock(32286, 61893)")
_TRY_SHARED = text("SELECT pg_try_advisory_lock_shared(32286, 61893)")
_END_OWN_GHOST = text("""
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 32286 AND objid = 61893 AND objsubid = 2 AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pid = ANY(:ghosts)
""")


def end_in_order() -> None:
    """Stop the gateway as if the operator had asked for it."""
    signal.raise_signal(signal.SIGTERM)


class DatabaseLock:
    """An advisory lock on a connection of its own, taken again whenever that connection is lost.

    A gateway that finds it held refuses to start. A lost connection alone never lets another
    gateway take over, because the owner may still be running its numbers without the database.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        on_lost: Callable[[], None] = end_in_order,
        patience: float = PATIENCE,
        *,
        is_shared: bool = False,
    ) -> None:
        """With `is_shared`, all nodes of a database hold the lock, which keeps out a gateway that is alone."""
        self._engine = engine
        self._on_lost = on_lost
        self._patience = patience
        self._try = _TRY_SHARED if is_shared else _TRY
        self._refusal = DatabaseNotShared if is_shared else DatabaseOwned
        self._connection: AsyncConnection | None = None
        self._watch = BackgroundLoop("database lock", self._check, BEAT)
        self.backend: int | None = None
        """The server's process that holds the lock for us."""

    async def take(self) -> None:
        """Raise `DatabaseOwned` or `DatabaseNotShared` if another gateway keeps it."""
        if self._watch.is_started:
            return
        give_up = time.monotonic() + self._patience
        while not await self._attempt():
            if time.monotonic() > give_up:
                raise self._refusal
            await asyncio.sleep(PAUSE)
        self._watch.start()

    async def release(self) -> None:
        await self._watch.stop()
        await self._drop()

    async def _check(self) -> float | None:
        if await self._is_connected() or await self._regain():
            return BEAT
        logger.critical("another gateway has taken the database meanwhile, so this one ends")
        self._on_lost()
        return None

    async def _is_connected(self) -> bool:
        if self._connection is None:
            return False
        try:
            await self._ask(_BACKEND)
        except DatabaseUnavailable as exc:
            logger.warning("the connection that holds the lock on the database is lost: %s", exc)
            return False
        return True

    async def _regain(self) -> bool:
        """Take the lock again as soon as the database answers; return whether it is ours."""
        ghosts = {self.backend or 0}
        while True:
            with suppress(DatabaseUnavailable):
                if await self._attempt():
                    logger.warning("the lock on the database is held again")
                    return True
                # The server may not have noticed yet that an earlier connection is gone: the last
                # one, or one that took the lock without our getting the answer.
                if not await self._ask(_END_OWN_GHOST.bindparams(ghosts=list(ghosts))):
                    return False
            ghosts.add(self.backend or 0)
            await asyncio.sleep(PAUSE)

    async def _attempt(self) -> bool:
        self.backend = await self._ask(_BACKEND)
        return bool(await self._ask(self._try))

    async def _ask(self, question: TextClause) -> int | None:
        """Return the only value of the answer, or None; connect first if necessary."""
        try:
            if self._connection is None:
                self._connection = await self._engine.connect()
            answer: int | None = (await self._connection.execute(question)).scalar()
        except DBAPIError as exc:
            await self._drop()
            raise DatabaseUnavailable(str(exc.orig)) from exc
        except (SQLAlchemyError, OSError) as exc:
            await self._drop()
            raise DatabaseUnavailable(type(exc).__name__) from exc
        return answer

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, OSError):  # it may be broken
                await connection.invalidate()
                await connection.close()
