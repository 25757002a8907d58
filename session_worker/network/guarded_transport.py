"""HTTP over sockets that are opened only to checked addresses, with one TLS context."""

from __future__ import annotations

import asyncio
import socket
from functools import cache
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    LookUp = Callable[[str, int], Awaitable[Sequence[str]]]

ALLOWANCE = 128 * 1024  # bytes that may come beside the body of an answer, or as a short body
AT_ONCE = 16 * 1024  # bytes that are parsed before the event loop serves others
FRAMING = 1.25  # bytes on the way for each byte of a body; chunks of 32 bytes take less


class MeteredStream(httpcore.AsyncNetworkStream):
    """A connection that ends when a server sends much and says little.

    Endless interim answers and chunks of one byte cost the reader a hundred times what they cost
    the server, and a worker whose event loop parses them answers no beats.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._left = float(ALLOWANCE)

    def earn(self, size: int) -> None:
        """Allow as many bytes again as have arrived of a body that the caller reads."""
        self._left += FRAMING * size

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> bytes:
        if self._left <= 0:
            raise httpcore.RemoteProtocolError("sends too much beside the body of its answer")
        received = await self._inner.read(min(max_bytes, AT_ONCE), timeout)
        self._left -= len(received)
        return received

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> None:
        self._left = float(ALLOWANCE)  # a request begins the next answer
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        return MeteredStream(inner)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


Place = tuple[str, int]

LOOK_UP_LIMIT = 10.0  # seconds
PORTS = {"http": 80, "https": 443}
LARGEST_PORT = 65535
UNLIMITED = httpx.Limits()


NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)
"""The errors after which it is certain that the other side has received nothing."""


class AddressForbidden(Exception):
    """The host has an address that no link given by others may lead to."""


def place_of(url: httpx.URL) -> Place:
    return url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme, 0)


def guarded_transport(
    backend: GuardedBackend, tls: ssl.SSLContext, limits: httpx.Limits = UNLIMITED
) -> httpx.AsyncHTTPTransport:
    """Make the transport of an httpx client, without proxies from the environment."""
    transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False)
    # The transport offers no public way to choose the network, but the pool inside it does.
    transport._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001 - see above
        ssl_context=tls,
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
        network_backend=backend,
    )
    return transport


async def look_up(host: str, port: int) -> Sequence[str]:
    """Return all addresses of a host, in the system's order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Looks up a host once, checks every address and connects to one that was checked."""

    def __init__(
        self,
        trusted: Place | None,
        *,
        look_up: LookUp = look_up,
        inner: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._trusted = trusted
        self._look_up = look_up
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        # IPv4 first: if IPv6 packets are dropped on the way, each connection would wait in vain.
        for address in sorted(await self._checked(host, port), key=lambda each: ":" in each):
            try:
                stream = await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failure = exc
            else:
                return MeteredStream(stream)
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's signature
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        raise AddressForbidden(path)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        if not 0 < port <= LARGEST_PORT:
            raise AddressForbidden(f"{host} has no port {str(port)[:8]}")
        try:
            async with asyncio.timeout(LOOK_UP_LIMIT):
                addresses = await self._look_up(host, port)
        except (OSError, UnicodeError) as exc:  # a timeout is an OSError too
            raise httpcore.ConnectError(f"{host} cannot be found: {exc}") from exc
        # One bad address spoils them all, because the next lookup may return that one alone.
        if (host, port) != self._trusted and not all(map(is_public, addresses)):
            raise AddressForbidden(f"{host} is not at a public address")
        return addresses


@cache
def tls_context() -> ssl.SSLContext:
    """Trust the certificates that httpx brings; this is made in the forkserver and shared by its children."""
    return httpx.create_ssl_context(trust_env=False)


_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
# Python regards these as public, some of them only before 3.12.4. The first two are where the clouds
# of Oracle and Azure answer their own machines, the third leads to 6to4 relays that anybody may run,
# and the last is for examples in documentation.
_NOT_OPEN = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("168.63.129.16/32"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("3fff::/20"),
)


def is_public(address: str) -> bool:
    """Whether an address is on the public internet, in whatever form it is written."""
    try:
        found = ip_address(address.partition("%")[0])
    except (AddressValueError, ValueError):
        return False
    if isinstance(found, IPv6Address):
        return _is_public_6(found)
    return _is_open(found)


def _is_public_6(found: IPv6Address) -> bool:
    inside = found.ipv4_mapped or found.sixtofour
    if inside is not None:
        return _is_open(inside)
    is_wrapped = found in _COMPATIBLE or any(found in network for network in _TRANSLATED)
    return not (is_wrapped or found.teredo or found.is_site_local) and _is_open(found)


def _is_open(found: IPv4Address | IPv6Address) -> bool:
    is_inside = found.is_multicast or found.is_reserved or any(found in net for net in _NOT_OPEN)
    return found.is_global and not is_inside
