"""The TCP connection under a request, which a fault may cut."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from quart import request

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection:
    """Hands the app each request of one connection along with the knife for it."""

    def __init__(self, app: ASGIFramework, writer: asyncio.StreamWriter) -> None:
        self._app = app
        self._writer = writer

    async def __call__(
        self,
        scope: Scope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        sync_spawn: Callable[..., Any],  # noqa: ARG002 - hypercorn gives it by name
        call_soon: Callable[..., Any],  # noqa: ARG002 - hypercorn gives it by name
    ) -> None:
        if scope["type"] == "http":
            scope["extensions"]["sandbox.connection"] = {"cut": self.cut}
        await self._app(scope, receive, send)

    def cut(self) -> None:
        """Drop the connection with a reset, whatever was still to be sent."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._writer.transport.abort()


def cut_connection() -> None:
    """Cut the connection of the current request; its answer will reach nobody."""
    request.scope["extensions"]["sandbox.connection"]["cut"]()
