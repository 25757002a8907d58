"""HTTP over sockets that are opened only to checked addresses, with one TLS context."""

from __future__ import annotations

import asyncio
import socket
from functools import cache
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from session_worker.network.metered_stream import MeteredStream
from session_worker.network.public_address import is_public

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    LookUp = Callable[[str, int], Awaitable[Sequence[str]]]

Place = tuple[str, int]

LOOK_UP_LIMIT = 10.0  # seconds
PORTS = {"http": 80, "https": 443}
LARGEST_PORT = 65535
UNLIMITED = httpx.Limits()


class AddressForbidden(Exception):
    """The host is at an address that no address given by others may lead to."""


def place_of(url: httpx.URL) -> Place:
    return url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme, 0)


def guarded_transport(
    backend: GuardedBackend, tls: ssl.SSLContext, limits: httpx.Limits = UNLIMITED
) -> httpx.AsyncHTTPTransport:
    """Make what an httpx client sends through, without proxies of the environment."""
    transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False)
    # The transport has no public way to choose the network; the pool it wraps has.
    transport._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001 - see above
        ssl_context=tls,
        max_connections=limits.max_connections,
        max_keepalive_connections=limits.max_keepalive_connections,
        keepalive_expiry=limits.keepalive_expiry,
        network_backend=backend,
    )
    return transport


async def look_up(host: str, port: int) -> Sequence[str]:
    """Find all addresses of a host, in the system's order."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Looks a host up once, checks every answer, connects to one that was checked."""

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
        # IPv4 first: where IPv6 is swallowed on its way, each connection would wait in vain.
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
        except (OSError, UnicodeError) as exc:  # a timeout is an OSError, too
            raise httpcore.ConnectError(f"{host} can't be found: {exc}") from exc
        # One bad answer spoils them all: the next question may be answered by that one alone.
        if (host, port) != self._trusted and not all(map(is_public, addresses)):
            raise AddressForbidden(f"{host} is not at a public address")
        return addresses


@cache
def tls_context() -> ssl.SSLContext:
    """Trust the certificates that httpx brings; made in the forkserver, shared by its children."""
    return httpx.create_ssl_context(trust_env=False)
