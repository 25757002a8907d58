"""Requests that no honest client makes, over a real socket."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import h2.connection
import h2.events
import pytest

from api.lifecycle.server_process import shorten_lost_connection
from tests.support.waiting import PATIENCE, eventually
from tests.unit.api.served import HOST, Served, body_of, headers_of, read_all, serving, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from api.settings import Settings
    from tests.fakes.gateway import FakeGateway

WEBSOCKET = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
SECOND = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
MANY = 200  # connections
STREAMS = 400
HUNG_UP = 0  # before the answer could be read


def request(target: bytes, *headers: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    lines = b"".join(line + b"\r\n" for line in (*headers, b"Connection: close"))
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return request(b"/webhook", *headers, method=b"POST", body=body)


@pytest.fixture
async def served(settings: Settings, gateway: FakeGateway) -> AsyncIterator[Served]:
    async with serving(settings, gateway) as running:
        yield running


STRANGE = {
    "a broken absolute address": (request(b"http://[::1/"), {400}),
    "an absolute address": (request(b"http://evil.example/healthz"), {400}),
    "no path": (request(b"?a=b"), {400}),
    "a star": (request(b"*", method=b"OPTIONS"), {400}),
    "an encoded slash at the beginning": (request(b"%2fhealthz"), {400}),
    "a host behind an encoded slash": (
        request(b"%2fnumbers%2f380955821319%2fmessages%2f1@evil.example:80", b"Token: x"),
        {400},
    ),
    "CONNECT": (request(b"127.0.0.1:22", method=b"CONNECT"), {400}),
    "TRACE": (request(b"/healthz", method=b"TRACE"), {405}),
    "a zero byte in a number": (request(b"/numbers/%00", b"Token: x"), {401}),
    "no UTF-8 in a number": (request(b"/numbers/%ff%fe", b"Token: x"), {401}),
    "a zero byte in a query": (request(b"/webhook?number=%00&name=%00", b"Token: x"), {400}),
    "no UTF-8 in a query": (request(b"/webhook?number=%ff", b"Token: x"), {400}),
    "a long number": (request(b"/numbers/" + b"1" * 15_000, b"Token: x"), {401}),
    "a long address": (request(b"/" + b"a" * 200_000), {431, HUNG_UP}),
    "a long header": (request(b"/healthz", b"X: " + b"a" * 200_000), {431, HUNG_UP}),
    "many headers": (
        request(b"/healthz", *[b"X-%d: a" % n for n in range(20_000)]),
        {431, HUNG_UP},
    ),
    "a zero byte in a header": (request(b"/healthz", b"X: a\0b"), {400}),
    "a key that is no text": (request(b"/numbers", b"Authorization: Bearer \xff\xfe"), {401}),
    "two hosts": (request(b"/healthz", HOST.strip()), {400}),
    "a file outside": (request(b"/static/..%2f..%2fapp.py"), {404}),
    "a file outside, plainly": (request(b"/static/../app.py"), {404}),
    "a file outside, in Windows": (request(b"/static/..%5capp.py"), {404}),
    "a folder": (request(b"/static/."), {404}),
    "a file with a zero byte": (request(b"/static/login.css%00.js"), {404}),
    "a file with a long name": (request(b"/static/" + b"a" * 5000), {404}),
    "a link with steps up": (request(b"/files/token/..%2f..%2fetc%2fpasswd"), {404}),
    "a link with a zero byte": (request(b"/files/a%00/b"), {404}),
    "another host's page": (request(b"//evil.example/%2e%2e"), {404}),
    "HTTP 0.9": (b"GET /healthz\r\n\r\n", {400}),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", {400}),
    "a length and chunks": (
        post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SECOND),
        {400},
    ),
    "chunks and a length": (
        post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n" + SECOND),
        {400},
    ),
    "two lengths": (post(b"Content-Length: 4", b"Content-Length: 5", body=b"12345"), {400}),
    "a list of lengths": (post(b"Content-Length: 4, 5", body=b"12345"), {400}),
    "a negative length": (post(b"Content-Length: -1"), {400}),
    "a length with a sign": (post(b"Content-Length: +5", body=b"12345"), {400}),
    "an endless length": (post(b"Content-Length: " + b"9" * 50), {400, 401}),
    "unknown chunks": (post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), {501}),
    "chunks twice": (post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"), {501}),
    "a space before a colon": (post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), {400}),
    "a WebSocket": (
        b"GET /numbers HTTP/1.1\r\n"
        + HOST
        + b"Connection: upgrade\r\nUpgrade: websocket\r\n"
        + WEBSOCKET
        + b"\r\n",
        {400, 403, 404},
    ),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_strange_request_is_refused(
    served: Served, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """It gets one answer that says no, leaves no traceback behind, hurts nobody."""
    sent, statuses = STRANGE[name]

    answer = await served.exchange(sent)

    assert status_of(answer) in statuses, answer
    assert answer.count(b"HTTP/1.") <= 1
    assert await served.is_healthy()
    assert [line.getMessage() for line in caplog.records if line.levelno > logging.WARNING] == []


CHUNKED, LENGTH = b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n"
TWO_LENGTHS = {
    "both, length first": (LENGTH + CHUNKED, b"0\r\n\r\n"),
    "both, chunks first": (CHUNKED + LENGTH, b"0\r\n\r\n"),
    "two lengths": (LENGTH + b"Content-Length: 6\r\n", b"aaaaa"),
    "a list of lengths": (b"Content-Length: 5, 6\r\n", b"aaaaa"),
    "chunks twice": (CHUNKED + CHUNKED, b"0\r\n\r\n"),
    "chunks within chunks": (b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    "chunks by another name": (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "a length with a sign": (b"Content-Length: +5\r\n", b"aaaaa"),
    "a folded length": (b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH, b"0\r\n\r\n"),
    "a blank before the colon": (b"Transfer-Encoding : chunked\r\n" + LENGTH, b"0\r\n\r\n"),
}


@pytest.mark.parametrize("path", [b"/healthz", b"/webhook/message", b"http://evil.example/"])
@pytest.mark.parametrize("name", TWO_LENGTHS)
async def test_request_behind_an_unclear_end_never_runs(
    served: Served, name: str, path: bytes
) -> None:
    """Where a proxy may see another end of the body than we do, nothing behind it is a request."""
    headers, body = TWO_LENGTHS[name]
    first = b"POST " + path + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body

    answer = await served.exchange(first + SECOND)

    assert status_of(answer) in {400, 501}, answer
    assert answer.count(b"HTTP/1.1") == 1, answer


async def test_refused_target_ends_the_connection(served: Served) -> None:
    """Whoever sends what no client sends does not get to send more on that line."""
    answer = await served.exchange(b"GET ?a HTTP/1.1\r\n" + HOST + b"\r\n" + SECOND)

    assert (status_of(answer), answer.count(b"HTTP/1.1")) == (400, 1)
    assert headers_of(answer)["connection"] == "close"


@pytest.mark.parametrize("host", [b"", b"a b", b"a..b", b"[::1", b"a" * 70 + b".example"])
async def test_host_is_not_read(
    served: Served, caplog: pytest.LogCaptureFixture, host: bytes
) -> None:
    """Whatever a caller names as the host, its call is answered, and the log has no error."""
    named = b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"

    answer = await served.exchange(b"GET /healthz" + named)
    redirect = await served.exchange(b"GET /login/x" + named)

    assert (status_of(answer), status_of(redirect)) == (200, 308)
    assert headers_of(redirect)["location"] == "./x/"
    assert [line.getMessage() for line in caplog.records if line.levelno > logging.WARNING] == []


async def test_head_has_no_body(served: Served) -> None:
    """HEAD is answered as GET is, without what GET brings."""
    head, get = await served.get("/healthz", method="HEAD"), await served.get("/healthz")

    assert (status_of(head), body_of(head)) == (200, b"")
    assert headers_of(head)["content-length"] == headers_of(get)["content-length"]


async def test_slow_headers_are_cut_off(settings: Settings, gateway: FakeGateway) -> None:
    """Who dribbles headers is hung up on when their time is over, however busy it looks."""
    async with serving(settings, gateway, headers_within=0.3) as served:
        reader, writer = await served.connect()

        async def dribble() -> None:
            writer.write(b"GET /healthz HTTP/1.1\r\n")
            while not writer.is_closing():
                writer.write(b"X: a\r\n")
                await asyncio.sleep(0.02)

        dribbling = asyncio.create_task(dribble())
        answer = await read_all(reader)
        dribbling.cancel()
        writer.close()

    assert answer == b""


async def test_slow_body_is_cut_off(settings: Settings, gateway: FakeGateway) -> None:
    """Who dribbles its body is answered 408 when its time is over."""
    async with serving(settings, gateway, body_within=0.3) as served:
        reader, writer = await served.connect()
        length = b"Content-Length: 60000\r\nContent-Type: application/json\r\n\r\n"
        writer.write(b"PUT /webhook HTTP/1.1\r\n" + HOST + length)

        async def dribble() -> None:
            while not writer.is_closing():
                writer.write(b" ")
                await asyncio.sleep(0.02)

        dribbling = asyncio.create_task(dribble())
        answer = await read_all(reader)
        dribbling.cancel()
        writer.close()

    assert status_of(answer) == 408


async def test_early_answer_says_that_the_connection_ends(served: Served) -> None:
    """Answered before its body was read, a caller is told not to send its next call this way."""
    start = b"POST /nothing HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\n"
    reader, writer = await served.connect()
    writer.write(start)
    early = await read_all(reader)
    writer.close()

    reader, writer = await served.connect()
    writer.write(start + b"abc")
    late = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert (status_of(early), headers_of(early).get("connection")) == (404, "close")
    assert (status_of(late), headers_of(late).get("connection")) == (404, None)


async def test_many_idle_connections_disturb_nobody(served: Served) -> None:
    """Whether they say nothing, half a request, half a body: others are answered."""
    beginnings = [b"", b"GET /heal", SECOND[:-2], post(b"Content-Length: 9", body=b"{")]
    async with AsyncExitStack() as stack:
        for count in range(MANY):
            _, writer = await served.connect()
            stack.callback(writer.close)
            writer.write(beginnings[count % len(beginnings)])

        assert await served.is_healthy()


def upgrade_to_h2(connection: h2.connection.H2Connection) -> bytes:
    settings = connection.initiate_upgrade_connection() or b""
    lines = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
    return b"GET /healthz HTTP/1.1\r\n" + HOST + lines + settings + b"\r\n\r\n"


async def read_h2(
    reader: asyncio.StreamReader, connection: h2.connection.H2Connection, count: int
) -> list[bytes]:
    """Return the statuses of so many answers."""
    statuses: list[bytes] = []
    async with asyncio.timeout(PATIENCE):
        while len(statuses) < count and (data := await reader.read(65536)):
            statuses += [
                dict(event.headers or [])[b":status"]
                for event in connection.receive_data(data)
                if isinstance(event, h2.events.ResponseReceived)
            ]
    return statuses


ASKED = [(":method", "GET"), (":path", "/healthz"), (":scheme", "https"), (":authority", "a")]


@pytest.mark.parametrize("way", ["upgrade", "prior knowledge"])
async def test_unencrypted_http_2_is_refused(served: Served, way: str) -> None:
    """A tunnel that a proxy lets through by `Upgrade: h2c` leads nowhere."""
    connection = h2.connection.H2Connection()
    reader, writer = await served.connect()
    if way == "upgrade":
        writer.write(upgrade_to_h2(connection))
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(connection.data_to_send())
        connection.send_headers(3, ASKED, end_stream=True)
    else:
        connection.initiate_connection()
        connection.send_headers(1, ASKED, end_stream=True)
    writer.write(connection.data_to_send())

    statuses = await read_h2(reader, connection, 2 if way == "upgrade" else 1)
    writer.close()

    assert set(statuses) == {b"505"}


@pytest.fixture
def _as_logged() -> Iterator[None]:
    """Log what the event loop has to say as the gateway does."""
    logging.getLogger("asyncio").addFilter(shorten_lost_connection)
    yield
    logging.getLogger("asyncio").removeFilter(shorten_lost_connection)


@pytest.mark.usefixtures("_as_logged")
async def test_flood_of_resets_ends_its_connection(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Streams that are reset are counted all the same; the log tells of them in a line."""
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    for count in range(10 * STREAMS):
        connection.send_headers(2 * count + 1, ASKED, end_stream=True)
        connection.reset_stream(2 * count + 1)
    assert await served.is_healthy()
    before = len(asyncio.all_tasks())
    reader, writer = await served.connect()
    writer.write(connection.data_to_send())

    await read_all(reader)
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
    await eventually(lambda: caplog.records)

    writer.close()
    assert await served.is_healthy()
    (line,) = caplog.records
    assert (line.levelno, line.exc_info) == (logging.WARNING, None)
    assert line.getMessage() == "a connection was closed: TooManyStreamsError"


async def test_flood_of_streams_disturbs_nobody(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Streams that are opened to be reset at once keep no other caller waiting."""
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    _, writer = await served.connect()
    for count in range(STREAMS):
        connection.send_headers(2 * count + 1, ASKED, end_stream=True)
        connection.reset_stream(2 * count + 1)
    writer.write(connection.data_to_send())

    assert await served.is_healthy()
    writer.close()
    assert [line for line in caplog.records if line.levelno > logging.WARNING] == []
