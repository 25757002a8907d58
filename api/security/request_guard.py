"""Refuses dangerous kinds of requests before routing, limits slow readers, and adds headers to all answers."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hypercorn.typing import (
        ASGIReceiveCallable,
        ASGIReceiveEvent,
        ASGISendCallable,
        ASGISendEvent,
        HTTPResponseStartEvent,
        HTTPScope,
        Scope,
    )
    from quart import Quart


_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_LONGEST_STATIC = 100  # characters
ENDING = "telefix.ending"
_NO_BODY = [(b"content-length", b"0")]
_CLOSE = (b"connection", b"close")


Headers = list[tuple[bytes, bytes]]


def guard_requests(app: Quart, always: Mapping[str, str]) -> None:
    """Guard the requests of the application, and add these headers to its answers without them."""
    wrapped = app.asgi_app
    added = [(name.lower().encode(), value.encode()) for name, value in always.items()]

    async def guarded(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if scope["type"] != "http":
            await wrapped(scope, receive, send)
            return
        stall: float = app.config["STALL_TIMEOUT"]
        scope["extensions"] = {**(scope.get("extensions") or {}), ENDING: _ending(send)}
        # Longer than our own limit: the server does not expect the kernel to end a connection in use.
        set_patience(send, 2 * stall)
        status = refusal(scope)
        if status is None:
            call = GuardedCall(receive, send, stall, added, is_read=not has_body(scope))
            try:
                with call_with_end():
                    await wrapped(scope, call.receive, call.send)
            finally:
                if call.is_cut:
                    hang_up(send)
            return
        # A proxy may take the bytes that follow for another caller's request, so they are never run.
        headers = _NO_BODY if scope["http_version"] >= "2" else [*_NO_BODY, _CLOSE]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    app.asgi_app = guarded  # type: ignore[method-assign]  # Quart's way to wrap itself


class GuardedCall:
    """Completes the head of an answer, and cuts the answer off if its caller does not read it in time.

    An answer that comes before the end of the request body gets `Connection: close`, because
    Hypercorn closes the connection in that case. Without this header a client would reuse it and
    lose its next request.
    """

    def __init__(
        self,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        stall: float,
        added: Headers,
        *,
        is_read: bool,
    ) -> None:
        self._receive = receive
        self._send = send
        self._stall = stall
        self._added = added
        self._is_read = is_read
        self._head: HTTPResponseStartEvent | None = None
        self.is_cut = False  # an answer was begun but not finished

    async def receive(self) -> ASGIReceiveEvent:
        event = await self._receive()
        if event["type"] == "http.request":
            self._is_read = not event["more_body"]
        return event

    async def send(self, event: ASGISendEvent) -> None:
        """Send the head of the answer with the first piece of its body, so that both have one limit."""
        if event["type"] == "http.response.start":
            self._head = event
            return
        head, self._head = self._head, None
        self.is_cut = True
        async with asyncio.timeout(self._stall):
            if head is not None:
                head["headers"] = self._complete([*head["headers"]])
                await self._send(head)
            await self._send(event)
        self.is_cut = event["type"] != "http.response.body" or event["more_body"]

    def _complete(self, headers: Headers) -> Headers:
        present = dict(headers)
        if b"frame-ancestors 'self'" in present.get(b"content-security-policy", b""):
            # The Mini App's own policy says who may show it in a frame.
            present[b"x-frame-options"] = b""
        headers += [each for each in self._added if each[0] not in present]
        if not self._is_read:
            headers.append(_CLOSE)
        return headers


def has_body(scope: Scope) -> bool:
    return scope["type"] == "http" and any(name in _LENGTHS for name, _ in scope["headers"])


def refusal(scope: HTTPScope) -> int | None:
    """Return the status with which the request is refused, or None."""
    if scope["http_version"] >= "2" and scope["scheme"] == "http":
        # A proxy that forwards `Upgrade: h2c` would let a stranger bypass the rules of the proxy.
        return 505
    if not (scope["path"].startswith("/") and scope["raw_path"].startswith(b"/")):
        # An absolute URL, `*`, or nothing: the framework fails on these. An encoded slash at the
        # beginning: behind the address of another node, what follows could be taken for its host.
        return 400
    if scope["path"].startswith("/static/") and len(scope["path"]) > _LONGEST_STATIC:
        return 404  # no file has such a long name, and the framework would fail with an error
    if len(_LENGTHS.intersection(name for name, _ in scope["headers"])) > 1:
        return 400  # a proxy may see the end of the body elsewhere
    return None


def set_patience(send: ASGISendCallable, seconds: float) -> None:
    """Let the kernel end the connection if the peer accepts no data for that long."""
    transport = _transport(send)
    of_peer: Any = transport and transport.get_extra_info("socket")
    if of_peer is not None:
        # A Unix socket does not have this option, and needs none: no stranger uses it.
        with suppress(OSError):
            of_peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def hang_up(send: ASGISendCallable) -> None:
    """Close the connection now and drop unsent data; a caller that reads nothing would keep it open."""
    transport = _transport(send)
    if transport is not None:
        transport.abort()


def _ending(send: Any) -> Any:
    """Return the event with which Hypercorn begins to stop, or None."""
    return getattr(getattr(_server(send), "context", None), "terminated", None)


def _server(send: Any) -> Any:
    # ASGI offers no access, so go from the stream to its protocol and on to the server.
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    return getattr(getattr(protocol, "send", None), "__self__", None)


def _transport(send: Any) -> asyncio.WriteTransport | None:
    return getattr(getattr(_server(send), "writer", None), "transport", None)


_left: ContextVar[list[Callable[[], None]]] = ContextVar("functions to run at the end of the call")


def at_end(act: Callable[[], None]) -> None:
    """Run the function when the current call is over: answered, cut off, or never answered."""
    _left.get().append(act)


@contextmanager
def call_with_end() -> Iterator[None]:
    acts: list[Callable[[], None]] = []
    before = _left.set(acts)
    try:
        yield
    finally:
        _left.reset(before)
        for act in reversed(acts):
            act()
