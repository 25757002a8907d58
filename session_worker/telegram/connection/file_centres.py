"""Connections to the other data centres that store files, at most one to each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from telethon.network import MTProtoSender
from telethon.tl import functions

from session_worker.telegram.connection.client import trust
from session_worker.telegram.errors import (
    NeedsLogin,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
    translate,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from session_worker.protocol.contract import DataCentre
    from session_worker.telegram.connection.client import AccountClient
    from session_worker.telegram.connection.connection import ConnectionTiming

    AddressOf = Callable[[int], Awaitable[tuple[str, int]]]

KEY_EXCHANGES = 3  # about one in 200 fails by chance


class FileCentres:
    """The other data centres, found through the connection to the account's own."""

    def __init__(
        self,
        client: AccountClient,
        timing: ConnectionTiming,
        address_of: AddressOf,
        trusted: DataCentre | None,
    ) -> None:
        self._client = client
        self._timing = timing
        self._address_of = address_of
        self._trusted = trusted
        self._centres: dict[int, FileCentre] = {}

    async def ask(self, dc_id: int, request: Any) -> Any:
        """Send a request to a data centre within time limits; raises TelegramError."""
        if dc_id not in self._centres:
            if self._trusted is not None:
                # A server that has proved itself with this key names the others, which have the
                # same key.
                trust(self._trusted)
            self._centres[dc_id] = FileCentre(dc_id, self._client, self._timing, self._address_of)
        return await self._centres[dc_id].ask(request)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(centre.close() for centre in self._centres.values()))


class FileCentre:
    """One other data centre, with a connection that is opened when needed and has a key of its own."""

    def __init__(
        self, dc_id: int, client: AccountClient, timing: ConnectionTiming, address_of: AddressOf
    ) -> None:
        self._dc_id = dc_id
        self._client = client
        self._timing = timing
        self._address_of = address_of
        self._key: Any = None
        self._sender: Any = None
        self._opening: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._running = 0
        self._last_answer = 0.0

    async def ask(self, request: Any) -> Any:
        sender = await self._open_sender()
        self._running += 1
        try:
            return await self._answer(sender, request)
        except NeedsLogin as lost:
            # Only the exported login is lost: the account's own connection has another key.
            self._key = None
            self._close_sender(sender)
            raise TemporarilyFailed(self._describe(lost)) from lost
        finally:
            self._running -= 1
            self._close_when_idle()

    async def close(self) -> None:
        """Close the connection, even one that is being opened."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        self._close_sender(self._sender)
        if self._closing is not None:
            await self._closing

    async def _open_sender(self) -> Any:
        """Return the open connection; all who need one in the meantime wait for the same one."""
        if self._sender is not None and self._sender.is_connected():
            return self._sender
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name=f"connection to {self._dc_id}")
            self._opening.add_done_callback(self._opening_done)
        return await asyncio.shield(self._opening)

    def _opening_done(self, opening: asyncio.Task[Any]) -> None:
        self._opening = None
        if not opening.cancelled():
            opening.exception()  # raised to those who wait, if any are left

    async def _open(self) -> Any:
        self._close_sender(self._sender)
        if self._closing is not None:
            await self._closing
        sender = self._make_sender()
        limit = self._timing.connect_limit + self._timing.request_limit
        try:
            async with asyncio.timeout(limit):
                await self._connect(sender)
        except BaseException as error:  # cancelled or failed: the sender's tasks must end
            await asyncio.shield(_end(sender, self._timing.close_limit))
            if isinstance(error, Exception):
                self._raise_translated(error, limit)
            raise
        self._sender, self._key = sender, sender.auth_key
        return sender

    def _make_sender(self) -> Any:
        return MTProtoSender(
            self._key,
            loggers=self._client.loggers,
            retries=KEY_EXCHANGES - 1,
            delay=0,
            auto_reconnect=False,
            connect_timeout=self._timing.connect_limit,
        )

    async def _connect(self, sender: Any) -> None:
        address = await self._address_of(self._dc_id)
        await sender.connect(self._client.connection_to(self._dc_id, *address))
        hello: Any = functions.help.GetConfigRequest()
        if self._key is None:
            export = functions.auth.ExportAuthorizationRequest(self._dc_id)
            exported = await self._client(export)
            hello = functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes)
        await sender.send(self._client.introducing(hello))

    def _raise_translated(self, error: Exception, limit: float) -> NoReturn:
        """Raise the reason why there is no connection; it never says that a file is gone."""
        if isinstance(error, TimeoutError):
            raise Unreachable(self._describe(f"no connection within {limit:g} s")) from error
        meant = translate(error)
        if isinstance(meant, NeedsLogin):
            self._key = None
        if isinstance(meant, NeedsLogin | Refused | TemporarilyFailed):
            raise TemporarilyFailed(self._describe(meant)) from error
        raise self._with_data_centre(meant) from error

    async def _answer(self, sender: Any, request: Any) -> Any:
        loop, limit = asyncio.get_running_loop(), self._timing.request_limit
        began, ended = loop.time(), sender._disconnected  # noqa: SLF001 - its property makes a new one each time
        try:
            answer = sender.send(request)
        except ConnectionError as error:
            raise Unreachable(self._describe(error)) from error
        try:
            waited = {answer, ended}
            await asyncio.wait(waited, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and not answer.cancelled():
                self._last_answer = loop.time()
                return self._result(answer)
        finally:
            answer.cancel()
        if ended.done() or self._last_answer < began:
            # Other requests may still be answered on this connection; only a silent one is useless.
            self._close_sender(sender)
        raise Unreachable(
            self._describe("cut" if ended.done() else f"no answer within {limit:g} s")
        )

    def _result(self, answer: asyncio.Future[Any]) -> Any:
        error = answer.exception()
        if error is None:
            return answer.result()
        raise self._with_data_centre(translate(error)) from error

    def _close_when_idle(self) -> None:
        """Close the connection once nobody has used it for a while."""
        if self._idle is not None:
            self._idle.cancel()
        if not self._running:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._timing.idle_limit, self._close_sender, self._sender)

    def _close_sender(self, sender: Any) -> None:
        """Begin to close a connection, unless that has been done already."""
        if self._idle is not None:
            self._idle.cancel()
        if sender is not None and sender is self._sender:
            self._sender = None
            self._closing = asyncio.create_task(_end(sender, self._timing.close_limit))

    def _with_data_centre(self, error: TelegramError) -> TelegramError:
        """Name the data centre in errors about the connection; other errors say enough."""
        if isinstance(error, Unreachable):
            return Unreachable(self._describe(error), error.retry_after)
        return error

    def _describe(self, what: object) -> str:
        return f"data centre {self._dc_id}: {what}"


async def _end(sender: Any, limit: float) -> None:
    """Close a connection at once, without waiting for the other end, which may be gone."""
    connection = sender._connection  # noqa: SLF001 - a half-open connection cannot be closed politely
    if connection is not None:
        connection.abort()
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            await sender.disconnect()
    ended = sender._disconnected  # noqa: SLF001
    if ended.done() and not ended.cancelled():
        ended.exception()  # asyncio complains if nobody has read the error
