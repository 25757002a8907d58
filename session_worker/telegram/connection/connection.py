"""One connection to Telegram: its time limits, the check of the lease before each write, and its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.network.connection import ConnectionTcpFull
from telethon.tl import functions, types

from session_worker.backoff import Backoff
from session_worker.protocol.contract import Trouble, TroubleCode
from session_worker.telegram.connection.file_centres import FileCentres
from session_worker.telegram.errors import (
    LeaseLost,
    NeedsLogin,
    NoAnswer,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
    is_known,
    translate,
)
from session_worker.telegram.proxy import transport_through

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from session_worker.protocol.contract import DataCentre, UpdateState
    from session_worker.protocol.proxy import Proxy
    from session_worker.session import WritePermit
    from session_worker.telegram.connection.client import AccountClient
    from session_worker.telegram.proxy import HeldConnections

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionTiming:
    """Limits and pauses, in seconds."""

    connect_limit: float = 10.0
    request_limit: float = 20.0
    poll_interval: float = 15.0
    poll_limit: float = 6.0
    # An update that was pushed before an answer may be processed a moment after the answer.
    push_grace: float = 1.0
    close_limit: float = 3.0
    # How long a connection to another data centre is kept for the next file.
    idle_limit: float = 60.0
    # How long a proxy may take to close its half of a connection, and how long it may hold the
    # connection if it has not closed it by then.
    proxy_close_limit: float = 1.0
    proxy_hold_limit: float = 10.0
    # How long before its expiry a QR code is replaced.
    renew_before: float = 2.0
    # A connection that lasted this long counts as stable: after it, the first attempt is made at
    # once.
    stable_after: float = 20.0
    reconnection: Backoff = Backoff(first=0.3, longest=30.0)  # noqa: RUF009 - it is frozen

    def pause_before(self, attempt: int) -> float:
        """Return the pause before connection attempt ``attempt``; the first one is made at once."""
        return self.reconnection.pause(attempt) if attempt else 0.0


class Connection:
    """Sends requests within a time limit, raises our own errors and knows when the connection is lost."""

    def __init__(
        self, client: AccountClient, timing: ConnectionTiming, trusted: DataCentre | None = None
    ) -> None:
        self._client = client
        self._timing = timing
        self._file_centres = FileCentres(client, timing, self.address_of, trusted)
        self._lost: asyncio.Future[TelegramError] = asyncio.get_running_loop().create_future()
        self._watcher: asyncio.Task[None] | None = None

    @property
    def update_state(self) -> UpdateState:
        return self._client.update_state

    @property
    def is_behind(self) -> bool:
        return self._client.is_behind

    @property
    def backlog(self) -> int:
        return self._client.backlog

    @property
    def pushes(self) -> int:
        return self._client.pushes

    async def open(self, state: UpdateState | None) -> None:
        """Connect; the account is not known yet, so no update passes."""
        await self._bounded(self._client.open(state), self._timing.connect_limit)
        self._watcher = asyncio.create_task(self._watch(), name="connection watcher")

    async def ask(self, request: Any, limit: float | None = None) -> Any:
        """Send a request; returns its answer in time or raises a TelegramError."""
        return await self._bounded(self._client(request), limit or self._timing.request_limit)

    async def ask_at(self, dc_id: int, request: Any) -> Any:
        """Send a request to any data centre, as `ask` does to the account's own."""
        if dc_id == self._client.session.dc_id:
            return await self.ask(request)
        # Each step has a limit of its own; this one is a safeguard.
        limit = 2 * (self._timing.connect_limit + 2 * self._timing.request_limit)
        return await self._bounded(self._file_centres.ask(dc_id, request), limit)

    async def state(self) -> Any:
        """Ask for the current update state; this also makes Telegram send updates on this connection."""
        return await self.ask(functions.updates.GetStateRequest(), self._timing.poll_limit)

    def end_pings(self) -> None:
        """Send no more pings, which a poll makes needless and for which a worker needs memory."""
        self._client.end_pings()

    async def me(self) -> Any:
        """Ask which account is logged in on this connection."""
        users = await self.ask(functions.users.GetUsersRequest([types.InputUserSelf()]))
        return users[0]

    async def address_of(self, dc_id: int) -> tuple[str, int]:
        """Ask for the address of another data centre, preferably of the same IP version as our own."""
        config = await self.ask(functions.help.GetConfigRequest())
        general = [
            option
            for option in config.dc_options
            if option.id == dc_id and not (option.cdn or option.media_only or option.tcpo_only)
        ]
        is_ipv6 = ":" in (self._client.session.server_address or "")
        general.sort(key=lambda option: bool(option.ipv6) is not is_ipv6)
        if not general:
            raise TemporarilyFailed(f"Telegram names no address of data centre {dc_id}")
        return general[0].ip_address, general[0].port

    async def follow(self) -> None:
        """Let updates through, now that the account is known to be the right one."""
        await self._client.follow()

    async def catch_up(self) -> None:
        """Fetch the updates that Telegram has and this connection has not received."""
        await self._client.catch_up()

    async def until_lost(self, limit: float) -> None:
        """Wait; if the connection is lost in the meantime, raise the reason."""
        await asyncio.wait({self._lost}, timeout=limit)
        if self._lost.done():
            raise self._lost.result()

    async def close(self) -> None:
        """Close the connection, so that nothing of it is left open."""
        self._client.drop()
        await self._file_centres.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.close_limit):
                await self._client.disconnect()
        if self._watcher is not None:
            self._watcher.cancel()
        ended = self._client.disconnected
        if ended.done() and not ended.cancelled():
            # No watcher reads the error of a connection that never opened, and asyncio complains
            # about errors that are not read.
            ended.exception()
        if not self._lost.done():
            self._lost.set_result(Unreachable("the connection was closed"))

    async def _watch(self) -> None:
        ended = asyncio.ensure_future(self._client.disconnected)
        await asyncio.wait({ended})
        reason = (
            ended.exception() or self._client.fault or ConnectionError("the connection was closed")
        )
        if not is_known(reason):
            logger.error("the library has stopped following the updates", exc_info=reason)
        if not self._lost.done():
            self._lost.set_result(translate(reason))

    async def _bounded(self, call: Coroutine[Any, Any, Any], limit: float) -> Any:
        task = asyncio.ensure_future(call)
        try:
            await asyncio.wait(
                {task, self._lost}, timeout=limit, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            task.cancel()
        if task.done():
            return _outcome(task)
        if self._lost.done():
            raise self._lost.result()
        raise self._client.blame(NoAnswer(f"no answer within {limit:g} s"))


def _outcome(task: asyncio.Task[Any]) -> Any:
    # Telethon cancels running requests when it disconnects; nobody has cancelled us.
    if task.cancelled():
        raise Unreachable("the connection was lost before an answer arrived")
    error = task.exception()
    if error is not None:
        raise translate(error) from error
    return task.result()


class DirectConnection(ConnectionTcpFull):  # type: ignore[misc]  # telethon is untyped
    """Telegram's plain TCP transport."""

    def blame(self, error: TelegramError) -> TelegramError:
        """Return the error as it is, because nobody stands between us and Telegram."""
        return error


def fenced(
    right: WritePermit,
    on_lost: Callable[[], None],
    proxy: Proxy | None,
    held_connections: HeldConnections,
) -> type[Any]:
    """Make the transport class of a worker that may write only while it holds its lease."""
    transport = DirectConnection if proxy is None else transport_through(proxy, held_connections)

    class FencedConnection(transport):  # type: ignore[misc, valid-type]  # telethon is untyped
        """A transport that checks the lease before each write."""

        async def connect(self, timeout: float | None = None, ssl: Any = None) -> None:  # noqa: ASYNC109 - telethon's name
            try:
                await super().connect(timeout=timeout, ssl=ssl)
            except OSError as error:
                # The library would report only the number of its retries, which is always zero.
                why = error.strerror or str(error) or "no answer in time"
                raise Unreachable(f"no connection to {self._ip}:{self._port}: {why}") from error

        def _send(self, data: bytes) -> None:
            if not right.held():
                on_lost()
                raise LeaseLost
            super()._send(data)

        def abort(self) -> None:
            """Drop the connection without waiting for the other end, which may be gone."""
            if self._writer is not None:
                self._writer.transport.abort()

    return FencedConnection


# Digits shown of another phone, by which a person who mistyped the number recognises it.
_SHOWN_FIRST, _SHOWN_LAST = 3, 2


def require_own(user: Any, number: str, *, is_bot: bool = False) -> None:
    """Raise NeedsLogin if this account belongs to another phone or, for a bot, has another id."""
    if is_bot:
        if not user.bot or str(user.id) != number:
            detail = f"this is the account {user.id}"
            raise NeedsLogin(Trouble(code=TroubleCode.WRONG_ACCOUNT, detail=detail))
        return
    phone = _digits(user.phone or "")
    if phone and phone != _digits(number):
        detail = f"this is the account of +{phone[:_SHOWN_FIRST]}…{phone[-_SHOWN_LAST:]}"
        raise NeedsLogin(Trouble(code=TroubleCode.WRONG_ACCOUNT, detail=detail))


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))
