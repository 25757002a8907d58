"""An HTTP proxy that supports only CONNECT, with or without a password."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from sandbox.proxy.server import ClientRefused, KeyedProxy, OnwardConnection

if TYPE_CHECKING:
    from sandbox.proxy.server import ProxiedConnection, Stream

_CHALLENGE = '407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="sandbox"'


class HttpConnect(KeyedProxy):
    """Connects to any address that a client asks for."""

    kind = "http"

    async def lead(self, near: Stream, connection: ProxiedConnection) -> OnwardConnection:
        head = (await near.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.split("\r\n")
        method, _, rest = request.partition(" ")
        if not self._is_let_in(lines):
            await _answer(near, _CHALLENGE)
            raise ClientRefused("wrong user name or password")
        if method != "CONNECT":
            await _answer(near, "405 Method Not Allowed")
            raise ClientRefused(f"method {method}")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        try:
            far = await self.connect(connection, host.strip("[]"), int(port))
        except (OSError, ValueError) as exc:
            await _answer(near, "502 Bad Gateway")
            raise ClientRefused(str(exc)) from exc
        await _answer(near, "200 Connection established")
        return OnwardConnection(far)

    def _is_let_in(self, lines: list[str]) -> bool:
        if self.username is None:
            return True
        key = b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        return headers.get("proxy-authorization") == f"Basic {key}"


async def _answer(near: Stream, status: str) -> None:
    # In two pieces, as some proxies do: a client must read up to the empty line.
    near.writer.write(f"HTTP/1.1 {status}\r\n".encode())
    await near.writer.drain()
    near.writer.write(b"Via: 1.1 sandbox\r\n\r\n")
    await near.writer.drain()
