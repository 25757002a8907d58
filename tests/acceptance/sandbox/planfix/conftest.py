"""A sandbox on real sockets with an account in it, a gateway on the other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.control.http_server import HttpServer
from sandbox.sandbox import Sandbox
from tests.acceptance.sandbox.planfix.gateway import Gateway, make_app
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from sandbox.telegram.protocol.server_key import ServerKey

ACCOUNT = {"planfix_token": "pf-key", "provider_id": "telegram", "token": "our-key"}
HELLO = {
    "cmd": "newMessage",
    "providerId": "telegram",
    "planfix_token": "pf-key",
    "channel": "380501112233",
    "chatId": "380501112233_77",
    "contactId": "77",
    "contactName": "Olena",
    "message": "Hello",
}


@dataclass
class Client:
    """Talks to one account over HTTP."""

    http: httpx.AsyncClient

    @property
    def address(self) -> str:
        return str(self.http.base_url).rstrip("/")

    async def call(self, **fields: Any) -> httpx.Response:
        """Make a call to the chat API: HELLO's fields, changed; a None takes a field away."""
        form = {name: value for name, value in (HELLO | fields).items() if value is not None}
        return await self.http.post("webchat/api", data=form)

    async def ask(self, cmd: str, **fields: Any) -> httpx.Response:
        """Make a call with nothing but the fields every command needs."""
        keys = {name: HELLO[name] for name in ("providerId", "planfix_token")}
        return await self.http.post("webchat/api", data={"cmd": cmd} | keys | fields)

    async def get(self, what: str) -> Any:
        return (await self.http.get(what)).json()

    async def set_up(self, **settings: Any) -> httpx.Response:
        return await self.http.put(self.address, json=ACCOUNT | settings)

    async def break_with(self, mode: str, **fields: Any) -> None:
        response = await self.http.post("faults", json={"mode": mode} | fields)
        assert response.status_code == 200, response.text

    async def reply(self, **fields: Any) -> httpx.Response:
        return await self.http.post("reply", json=fields)


@pytest.fixture
async def sandbox(server_key: ServerKey) -> AsyncIterator[Sandbox]:
    async with Sandbox(server_key=server_key) as started:
        yield started


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(sandbox.http_url) as client:
        yield client


@pytest.fixture
async def planfix(sandbox: Sandbox) -> AsyncIterator[Client]:
    """Give an account that is set up."""
    async with caller(f"{sandbox.http_url}/planfix/demo") as http:
        client = Client(http)
        assert (await client.set_up()).status_code == 200
        yield client


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    server = HttpServer()
    double = Gateway(server.url)
    await server.start(make_app(double))
    yield double
    double.may_serve.set()
    await server.stop()
