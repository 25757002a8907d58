"""Lets a server send about as much as it has to say; what it sends besides is work that leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import ssl

ALLOWANCE = 128 * 1024  # bytes of an answer that nobody has vouched for: its head, a short body
AT_ONCE = 16 * 1024  # bytes that are parsed before the event loop serves others
FRAMING = 1.25  # bytes on the way for each byte of a body; chunks of 32 bytes take less


class MeteredStream(httpcore.AsyncNetworkStream):
    """A connection that ends when a server only keeps its reader busy.

    Interim answers without end and chunks of a byte cost the reader a hundred times what they cost
    the server, and a worker whose event loop parses them answers no beats.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._left = float(ALLOWANCE)

    def earn(self, size: int) -> None:
        """Let as much follow as has come of a body that somebody wants."""
        self._left += FRAMING * size

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> bytes:
        if self._left <= 0:
            raise httpcore.RemoteProtocolError("sends more around its answer than an answer")
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
