"""Reads the bodies of calls, and those of uploads only as fast as they are stored; sends whole answers at once."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from quart import Quart, Request
from quart.asgi import ASGIHTTPConnection
from quart.utils import encode_headers, raise_task_exceptions
from quart.wrappers.request import Body
from quart.wrappers.response import DataBody
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

if TYPE_CHECKING:
    from collections.abc import Generator

    from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
    from quart.typing import ResponseTypes

LARGEST_UPLOAD = 50 << 20  # bytes of a file: as much as the Bot API takes
LARGEST_CALL = LARGEST_UPLOAD + (64 << 10)  # with what is written around the file
MOST_DISCARDED = 4 * LARGEST_UPLOAD  # bytes; a caller who announces or sends more is cut off
MOST_UNREAD = 256 << 10  # bytes; the caller waits while so many are not stored yet
MOST_AT_ONCE = 1 << 20  # bytes of a body that is read as a whole
_PATHS = "/bot"
_MULTIPART = "multipart/form-data"


class CallBody(Body):
    """A body that is waited for without a task, and without a timer if all of it is here."""

    async def read(self, seconds: float | None) -> bytes:
        """Return the whole body; raise RequestTimeout if it does not come in time."""
        if self._complete.is_set():  # as most are, because they come with their heads
            return bytes(await self)
        try:
            async with asyncio.timeout(seconds):
                return bytes(await self)
        except TimeoutError as exc:
            raise RequestTimeout from exc


class UploadBody(CallBody):
    """A body that the server reads on only when there is room for it."""

    def __init__(self, expected: int | None) -> None:
        super().__init__(expected, MOST_DISCARDED)
        self.has_room = asyncio.Event()
        self.has_room.set()
        self._received = 0
        self._is_too_large = (expected or 0) > LARGEST_CALL

    def append(self, data: bytes) -> None:
        self._received += len(data)
        self._is_too_large |= self._received > LARGEST_CALL
        if not self._is_too_large:
            super().append(data)
            if len(self._data) > MOST_UNREAD:
                self.has_room.clear()
        else:
            self._has_data.set()
            if self._received > MOST_DISCARDED:
                self.set_complete()

    async def __anext__(self) -> bytes:
        data = b"" if self._is_too_large else await super().__anext__()
        self.has_room.set()
        if self._is_too_large:
            if self._must_raise is not None:
                raise self._must_raise
            # A caller that is still sending does not read the answer, so the rest is received first.
            await self._complete.wait()
            raise RequestEntityTooLarge
        return data

    def __await__(self) -> Generator[Any, None, bytes]:
        return self._whole().__await__()

    async def _whole(self) -> bytes:
        """Read everything, as other calls do, with their limit."""
        whole = bytearray()
        async for data in self:
            whole += data
            if len(whole) > MOST_AT_ONCE:
                raise RequestEntityTooLarge
        return bytes(whole)


class UploadRequest(Request):
    """A request that may be an upload; the limit of all others stays as it is."""

    body_class = CallBody
    body: CallBody

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        if self.path.startswith(_PATHS) and self.mimetype == _MULTIPART:
            self.body = UploadBody(self.content_length)

    @property
    def blueprints(self) -> list[str]:
        """Name the blueprints of the route; the framework asks for them three times in each call."""
        return _blueprints_of(self.endpoint)


@cache
def _blueprints_of(endpoint: str | None) -> list[str]:
    """Read the only blueprint from the name of a route; ours are not nested."""
    blueprint, dot, _ = (endpoint or "").rpartition(".")
    return [blueprint] if dot else []


class _Until:
    """Leaves its block when the task is done, though what the block waits for has not come."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._waiting = cast("asyncio.Task[Any]", asyncio.current_task())
        self._is_left = False
        self._has_interrupted = False
        task.add_done_callback(self._interrupt)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._is_left = True
        is_own_doing = self._has_interrupted and not self._waiting.uncancel()
        return is_own_doing and kind is asyncio.CancelledError

    def _interrupt(self, _task: object) -> None:
        if not self._is_left:
            self._has_interrupted = self._waiting.cancel()


class PacedConnection(ASGIHTTPConnection):
    """Takes the next piece of an upload only when there is room for it, and sends a whole answer at once."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Receive here and answer in a task, where the framework would start a task for each of the two.

        The server ends the receiving when the caller has its answer, or is gone.
        """
        request = self._create_request_from_scope(send)
        answering = asyncio.create_task(self.handle_request(request, send))
        try:
            with _Until(answering):
                await self.handle_messages(request, receive)
        finally:
            answering.cancel()
        if not answering.done():
            await asyncio.wait({answering})
        raise_task_exceptions({answering})

    async def _send_response(self, send: ASGISendCallable, response: ResponseTypes) -> None:
        if not isinstance(response.response, DataBody):
            await super()._send_response(send, response)
            return
        headers = encode_headers(response.headers)
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": headers}
        )
        # The framework would send an empty piece after it.
        async with response.response as pieces:
            async for whole in pieces:
                await send({"type": "http.response.body", "body": whole, "more_body": False})

    async def handle_messages(self, request: Request, receive: ASGIReceiveCallable) -> None:
        if not isinstance(request.body, UploadBody):
            await super().handle_messages(request, receive)
            return
        while True:
            await request.body.has_room.wait()
            message = await receive()
            if message["type"] == "http.request":
                request.body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    request.body.set_complete()
            elif message["type"] == "http.disconnect":
                return


def accept_uploads(app: Quart) -> None:
    app.request_class = UploadRequest
    app.asgi_http_class = PacedConnection
