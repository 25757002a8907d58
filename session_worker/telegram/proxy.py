"""Reaches Telegram through a proxy, which none of these transports ever bypasses."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn

from telethon.network.connection import (
    ConnectionTcpFull,
    ConnectionTcpMTProxyIntermediate,
    ConnectionTcpMTProxyRandomizedIntermediate,
    TcpMTProxy,
)

from session_worker.network.guarded_transport import is_public, look_up
from session_worker.protocol.contract import TroubleCode
from session_worker.protocol.proxy import ProxyKind
from session_worker.telegram.errors import ProxyFailed, TelegramError

if TYPE_CHECKING:
    from session_worker.network.guarded_transport import Place
    from session_worker.protocol.proxy import Proxy


SOCKS5, NO_KEY, BY_PASSWORD = 5, 0, 2
IPV4, NAME, IPV6 = 1, 3, 4
_LENGTHS = {IPV4: 4, IPV6: 16}
_REPLIES = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "the connection took too long",
    7: "command not known",
    8: "kind of address not known",
}
WRONG_KEY = 407  # the HTTP status for wrong credentials


class Stream(NamedTuple):
    """The reader and the writer of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


async def reach(proxy: Proxy, telegram: Place, limit: float) -> Stream:
    """Open a connection through the proxy; raises ProxyFailed, which says what the proxy did wrong."""
    try:
        async with asyncio.timeout(limit):
            stream = await _connect(proxy)
            try:
                await _handshake(stream, proxy, telegram)
            except BaseException:  # cancelled or failed: the connection must not stay open
                stream.writer.transport.abort()
                raise
    except TimeoutError as exc:
        raise ProxyFailed(TroubleCode.PROXY_UNREACHABLE, f"no answer within {limit:g} s") from exc
    except (EOFError, ConnectionResetError) as exc:
        raise ProxyFailed(TroubleCode.PROXY_REFUSED, "it closed the connection") from exc
    except (OSError, UnicodeError) as exc:
        raise ProxyFailed(TroubleCode.PROXY_UNREACHABLE, f"{type(exc).__name__}: {exc}") from exc
    return stream


async def _connect(proxy: Proxy) -> Stream:
    """Look up the proxy's name once, check every address and connect to one that was checked."""
    addresses = await look_up(proxy.host, proxy.port)
    if not proxy.may_be_private and not all(map(is_public, addresses)):
        raise ProxyFailed(TroubleCode.PROXY_FORBIDDEN, "")
    failure: OSError | None = None
    for address in sorted(addresses, key=lambda each: ":" in each):
        try:
            return Stream(*await asyncio.open_connection(address, proxy.port))
        except OSError as exc:
            failure = exc
    raise failure or OSError("the name has no address")


async def _handshake(stream: Stream, proxy: Proxy, telegram: Place) -> None:
    match proxy.kind:
        case ProxyKind.SOCKS5:
            await _authenticate(stream, proxy)
            await _ask_socks(stream, telegram)
        case ProxyKind.HTTP:
            await _ask_http(stream, proxy, telegram)
        case ProxyKind.MTPROXY:
            pass  # it reads from the first packets who the client is and where it wants to go


async def _authenticate(stream: Stream, proxy: Proxy) -> None:
    methods = bytes([NO_KEY, BY_PASSWORD] if proxy.username else [NO_KEY])
    stream.writer.write(bytes([SOCKS5, len(methods)]) + methods)
    version, method = await stream.reader.readexactly(2)
    if version != SOCKS5:
        _refused("it does not speak SOCKS5")
    if method == NO_KEY:
        return
    if method not in methods:
        _wrong_credentials("it wants a user name and a password")
    stream.writer.write(b"\x01" + _sized(proxy.username) + _sized(proxy.password))
    _, status = await stream.reader.readexactly(2)
    if status:
        _wrong_credentials("wrong user name or password")


async def _ask_socks(stream: Stream, telegram: Place) -> None:
    host, port = telegram
    stream.writer.write(b"\x05\x01\x00" + _socks_address(host) + port.to_bytes(2, "big"))
    version, reply, _, kind = await stream.reader.readexactly(4)
    if version != SOCKS5:
        _refused("it does not speak SOCKS5")
    if reply:
        _refused(_REPLIES.get(reply, f"reply {reply}"))
    length = _LENGTHS.get(kind) or (await stream.reader.readexactly(1))[0]
    await stream.reader.readexactly(length + 2)


async def _ask_http(stream: Stream, proxy: Proxy, telegram: Place) -> None:
    host, port = telegram
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
    if proxy.username:
        key = b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {key}")
    stream.writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        head = await stream.reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        _refused("it does not speak HTTP")
    status = head.split(b" ", 2)[1:2]
    if not head.startswith(b"HTTP/1.") or not status or not status[0].isdigit():
        _refused("it does not speak HTTP")
    code = int(status[0])
    if code == WRONG_KEY:
        _wrong_credentials(
            "wrong user name or password" if proxy.username else "it wants a user name"
        )
    if code not in range(200, 300):
        _refused(f"status {code}")


def _socks_address(host: str) -> bytes:
    try:
        packed = ip_address(host).packed
    except ValueError:
        return bytes([NAME]) + _sized(host)
    return bytes([IPV4 if len(packed) == _LENGTHS[IPV4] else IPV6]) + packed


def _sized(text: str | None) -> bytes:
    content = (text or "").encode()
    return bytes([len(content)]) + content


def _refused(why: str) -> NoReturn:
    raise ProxyFailed(TroubleCode.PROXY_REFUSED, why)


def _wrong_credentials(why: str) -> NoReturn:
    raise ProxyFailed(TroubleCode.PROXY_UNAUTHORIZED, why)


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
            received = await parent._recv()  # noqa: SLF001 - the method that this one overrides
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
        """Return the error of the side that is responsible for the silence."""
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
