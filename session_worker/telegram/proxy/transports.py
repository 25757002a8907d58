"""Telethon's transports through a proxy, none of which ever bypasses it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from telethon.network.connection import (
    ConnectionTcpFull,
    ConnectionTcpMTProxyIntermediate,
    ConnectionTcpMTProxyRandomizedIntermediate,
    TcpMTProxy,
)

from session_worker.protocol.contract import TroubleCode
from session_worker.protocol.proxy import ProxyKind
from session_worker.telegram.errors import ProxyFailed, TelegramError
from session_worker.telegram.proxy.handshake import reach

if TYPE_CHECKING:
    from session_worker.protocol.proxy import Proxy

SHARE = 0.8  # of the time for a connection, so that the proxy's fault is reported before that time is over


class HeldConnections:
    """The connections to Telegram that a proxy may still hold for us."""

    def __init__(self) -> None:
        self._held: set[Any] = set()
        self._none = asyncio.Event()
        self._none.set()

    def __bool__(self) -> bool:
        return bool(self._held)

    def add(self, connection: Any) -> None:
        self._held.add(connection)
        self._none.clear()

    def discard(self, connection: Any) -> None:
        self._held.discard(connection)
        if not self._held:
            self._none.set()

    def forget(self) -> None:
        for connection in tuple(self._held):
            self.discard(connection)

    async def close_our_halves(self, limit: float) -> None:
        """Close our half of each connection; a proxy that passes this on closes the other half."""
        for connection in tuple(self._held):
            connection.close_our_half()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._none.wait()


def transport_through(proxy: Proxy, held: HeldConnections) -> type[Any]:
    """Make the transport that reaches Telegram only through this proxy."""
    if proxy.kind is not ProxyKind.MTPROXY:
        return _proxied(ConnectionTcpFull, proxy, held)

    kind = (
        ConnectionTcpMTProxyRandomizedIntermediate
        if proxy.is_padded
        else ConnectionTcpMTProxyIntermediate
    )

    class ThroughMtproxy(kind):  # type: ignore[misc, valid-type]  # telethon is untyped
        """Gets its proxy here and not from the client."""

        def __init__(self, _ip: str, _port: int, dc_id: int, *, loggers: Any, **_: Any) -> None:
            self._secret = proxy.secret
            # The constructor in between takes the secret from elsewhere and in fewer forms.
            super(TcpMTProxy, self).__init__(proxy.host, proxy.port, dc_id, loggers=loggers)

        @staticmethod
        def address_info(_: Any) -> tuple[str, int]:
            return proxy.host, proxy.port

    return _proxied(ThroughMtproxy, proxy, held)


class _Proxied:
    """One connection through the proxy, held until the proxy has closed its half."""

    proxy: ClassVar[Proxy]
    held: ClassVar[HeldConnections]
    _has_received = False
    # Telethon's own attributes:
    _ip: str
    _port: int
    _reader: Any
    _writer: Any
    _codec: Any
    packet_codec: Any
    _init_conn: Any

    async def _connect(self, timeout: float | None = None, **_: Any) -> None:  # noqa: ASYNC109 - telethon's signature
        limit = (timeout or 0.0) * SHARE
        self._reader, self._writer = await reach(self.proxy, (self._ip, self._port), limit)
        self.held.add(self)
        self._codec = self.packet_codec(self)
        self._init_conn()
        await self._writer.drain()

    async def _recv(self) -> Any:
        parent: Any = super()
        try:
            received = await parent._recv()  # noqa: SLF001 - what this one stands in for
        except (OSError, EOFError) as error:
            if isinstance(error, OSError) or not self._writer.is_closing():
                self.held.discard(self)  # the proxy has closed it, not we
            if self._is_proxys_fault():
                why = "it closed the connection before Telegram had said anything"
                raise ProxyFailed(TroubleCode.PROXY_REFUSED, why) from error
            raise
        self._has_received = True
        return received

    def blame(self, error: TelegramError) -> TelegramError:
        """Return the error of whoever is responsible for the silence."""
        if self._is_proxys_fault():
            why = "it does not answer, which usually means that the secret is wrong"
            return ProxyFailed(TroubleCode.PROXY_UNAUTHORIZED, why)
        return error

    def close_our_half(self) -> None:
        with suppress(OSError, RuntimeError):
            self._writer.write_eof()

    def _is_proxys_fault(self) -> bool:
        """Whether a failure is the proxy's, since MTProxy has no error messages of its own."""
        return self.proxy.kind is ProxyKind.MTPROXY and not self._has_received


def _proxied(transport: type[Any], proxy: Proxy, held: HeldConnections) -> type[Any]:
    return type(
        f"Proxied{transport.__name__}", (_Proxied, transport), {"proxy": proxy, "held": held}
    )
