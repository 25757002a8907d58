"""The connection of a call, as far as Hypercorn gives access to it."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from hypercorn.typing import ASGISendCallable


def set_patience(send: ASGISendCallable, seconds: float) -> None:
    """Let the kernel end the connection if the peer accepts no data for that long."""
    transport = _transport(send)
    of_peer: Any = transport and transport.get_extra_info("socket")
    if of_peer is not None:
        with suppress(
            OSError
        ):  # a Unix socket does not have this option, and needs none: no stranger uses it
            of_peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def hang_up(send: ASGISendCallable) -> None:
    """Close the connection now and drop unsent data; a caller that reads nothing would keep it open."""
    transport = _transport(send)
    if transport is not None:
        transport.abort()


def _transport(send: Any) -> asyncio.WriteTransport | None:
    # ASGI offers no access, so go from the stream to its protocol and on to the server's socket.
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    return getattr(getattr(server, "writer", None), "transport", None)
