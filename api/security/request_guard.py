"""What is turned away before a call is looked at: kinds of request that only trouble comes by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from api.requests.call_end import call_with_end
from api.requests.connection import hang_up, set_patience

if TYPE_CHECKING:
    from hypercorn.typing import (
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        ASGISendEvent,
        HTTPScope,
        Scope,
    )
    from quart import Quart

_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_LONGEST_STATIC = 100  # characters
_NO_BODY = [(b"content-length", b"0")]
_CLOSE = (b"connection", b"close")


def guard_requests(app: Quart) -> None:
    inside = app.asgi_app

    async def doorstep(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            await inside(scope, receive, send)
            return
        stall: float = app.config["STALL_TIMEOUT"]
        # Longer than ours: the server does not expect the kernel to end what it still looks after.
        set_patience(send, 2 * stall)
        status = refusal(scope)
        if status is None:
            call = UnreadBodyCloser(receive, send, stall, has_body=has_body(scope))
            try:
                with call_with_end():
                    await inside(scope, call.receive, call.send)
            finally:
                if call.is_cut:
                    hang_up(send)
            return
        # What follows on the line may be another's request by a proxy's reckoning: it never runs.
        headers = _NO_BODY if scope["http_version"] >= "2" else [*_NO_BODY, _CLOSE]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    app.asgi_app = doorstep  # type: ignore[method-assign]  # Quart's way to wrap itself


class UnreadBodyCloser:
    """Says that the connection ends with the answer where that comes before the body's end.

    The server ends it then anyway; whoever is not told sends its next call into the void.
    Whoever takes nothing of an answer for too long is not waited for.
    """

    def __init__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable, stall: float, *, has_body: bool
    ) -> None:
        self._receive = receive
        self._send = send
        self._stall = stall
        self._is_read = not has_body
        self.is_cut = False  # an answer was begun, not ended

    async def receive(self) -> ASGIReceiveEvent:
        event = await self._receive()
        if event["type"] == "http.request":
            self._is_read = not event["more_body"]
        return event

    async def send(self, event: ASGISendEvent) -> None:
        if event["type"] == "http.response.start" and not self._is_read:
            event["headers"] = [*event["headers"], _CLOSE]
        self.is_cut = True
        async with asyncio.timeout(self._stall):
            await self._send(event)
        self.is_cut = event["type"] != "http.response.body" or event["more_body"]


def has_body(scope: Scope) -> bool:
    return scope["type"] == "http" and any(name in _LENGTHS for name, _ in scope["headers"])


def refusal(scope: HTTPScope) -> int | None:
    """Say with which status a request is refused, if it is."""
    if scope["http_version"] >= "2" and scope["scheme"] == "http":
        # A proxy that passes `Upgrade: h2c` on would carry a stranger's calls past its own rules.
        return 505
    if not scope["path"].startswith("/"):
        return 400  # an absolute address, `*`, nothing: the framework stumbles over these
    if scope["path"].startswith("/static/") and len(scope["path"]) > _LONGEST_STATIC:
        return 404  # no file can have such a name, which the framework would find out the hard way
    if len(_LENGTHS.intersection(name for name, _ in scope["headers"])) > 1:
        return 400  # a proxy may see another end of the body than we do
    return None
