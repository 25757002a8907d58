"""Callers that go away or take their time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from quart import Response

from api import create_app
from supervisor.gateway import NO_SESSION
from tests.fakes.gateway import FakeGateway
from tests.support.waiting import PATIENCE, eventually
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from quart.typing import TestClientProtocol

    from api.settings import Settings
    from supervisor.gateway import Created
    from supervisor.login.session_transfer import SessionSource
    from supervisor.store.values import NewNumber


class SlowGateway(FakeGateway):
    """A gateway that waits in the middle of starting a number."""

    def __init__(self) -> None:
        super().__init__()
        self.in_the_middle = asyncio.Event()
        self.go_on = asyncio.Event()

    async def create(self, new: NewNumber, session: SessionSource = NO_SESSION) -> Created:
        self.in_the_middle.set()
        await self.go_on.wait()
        return await super().create(new, session)


async def hang_up_in_the_middle(client: TestClientProtocol, gateway: SlowGateway) -> None:
    call = asyncio.create_task(client.post("/webhook", json=draft(), headers=bearer(ADMIN_KEY)))
    await gateway.in_the_middle.wait()
    call.cancel()
    gateway.go_on.set()


async def test_start_is_finished_though_the_caller_hangs_up(settings: Settings) -> None:
    """A caller who goes away in the middle does not leave a number half started."""
    gateway = SlowGateway()
    async with create_app(settings, gateway).test_app() as app:
        await hang_up_in_the_middle(app.test_client(), gateway)

        await eventually(lambda: NUMBER in gateway.views)


async def test_failure_after_the_caller_has_gone_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """What fails when nobody listens any more is found in the log."""
    gateway = SlowGateway()
    async with create_app(settings, gateway).test_app() as app:
        gateway.broken = RuntimeError("the disk is full")

        await hang_up_in_the_middle(app.test_client(), gateway)

        await eventually(lambda: "the disk is full" in caplog.text)


async def test_slow_body_is_cut_off(settings: Settings) -> None:
    """Who does not send its body in time gets 408; nothing is started."""
    gateway = FakeGateway()
    app = create_app(settings, gateway)
    app.config["BODY_TIMEOUT"] = 0.05
    async with app.test_app():
        headers = {**bearer(ADMIN_KEY), "Content-Type": "application/json"}
        client = app.test_client()
        async with client.request("/webhook", method="POST", headers=headers) as slow:
            await slow.send(b'{"name": ')
            answer = await slow.receive()
            response = await slow.as_response()

    assert response.status_code == 408
    assert b'"request_timeout"' in answer
    assert gateway.created == []


SCOPE = {
    "type": "http",
    "asgi": {"spec_version": "2.1", "version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/healthz",
    "raw_path": b"/healthz",
    "query_string": b"",
    "root_path": "",
    "headers": [],
    "client": ("192.0.2.1", 50000),
    "server": ("192.0.2.2", 80),
    "state": {},
    "extensions": {},
}


async def test_answer_that_nobody_takes_is_given_up(settings: Settings) -> None:
    """Also if it is one short piece: its caller holds neither the call nor the memory."""
    app = create_app(settings, FakeGateway())
    app.config["STALL_TIMEOUT"] = 0.05
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)
        if event["type"] == "http.response.body":
            await never()

    async with app.test_app():
        async with asyncio.timeout(PATIENCE):
            await app(cast("Any", dict(SCOPE)), never, send)

    (start, whole) = sent
    assert (start["type"], whole["type"]) == ("http.response.start", "http.response.body")
    assert whole["body"]
    assert not whole["more_body"]


async def test_answer_that_fails_before_its_first_piece_is_not_begun(settings: Settings) -> None:
    """Its head waits for that piece, so the server can still answer with an error."""
    app = create_app(settings, FakeGateway())
    sent: list[Any] = []

    async def pieces() -> AsyncIterator[bytes]:
        raise OSError("the file is gone")
        yield b""

    async def answer() -> Response:
        return Response(pieces())

    async def never() -> Any:
        await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)

    app.add_url_rule("/pieces", view_func=answer)
    async with app.test_app():
        with pytest.raises(OSError, match="gone"):
            await app(cast("Any", SCOPE | {"path": "/pieces"}), never, send)

    assert sent == []


@pytest.mark.parametrize("leaves_first", ["the caller", "the server"])
async def test_call_ends_with_its_caller(settings: Settings, leaves_first: str) -> None:
    """Work that nobody waits for is cancelled, whether the caller is gone or the server stops."""
    app = create_app(settings, FakeGateway())
    begun, ended, is_gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    async def receive() -> Any:
        await is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(_event: Any) -> None:
        raise AssertionError

    app.add_url_rule("/work", view_func=work)
    async with app.test_app(), asyncio.timeout(PATIENCE):
        call = asyncio.create_task(app(cast("Any", SCOPE | {"path": "/work"}), receive, send))
        await begun.wait()
        if leaves_first == "the caller":
            is_gone.set()
        else:
            call.cancel()
        await ended.wait()
        await asyncio.wait({call})

    assert call.cancelled() == (leaves_first == "the server")
