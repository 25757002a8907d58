"""One gateway with its sandbox for all tests of a folder, and a fresh bot for each test."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.acceptance.api.operator import ADMIN_KEY, settings_of
from tests.acceptance.api.server import forked_gateway, running_sandbox
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.acceptance.api.server import Server

ORDINALS = itertools.count(1)
APP = "tests.acceptance.bots.app:create_app()"
CLIENT = "Vesna"


@dataclass
class Stage:
    """The gateway and the sandbox over HTTP."""

    gateway: httpx.AsyncClient
    sandbox: httpx.AsyncClient

    async def control(self, method: str, path: str, **fields: Any) -> Any:
        """Make a control call of the sandbox's."""
        response = await self.sandbox.request(method, path, json=fields or None)
        assert response.status_code < 300, response.text
        return response.json()

    async def ask(self, method: str, path: str, key: str = ADMIN_KEY, **fields: Any) -> Any:
        """Call the gateway."""
        headers = {"Authorization": f"Bearer {key}"}
        return await self.gateway.request(method, path, json=fields or None, headers=headers)


@dataclass
class Bot:
    """A bot that runs, and a person who uses it."""

    stage: Stage
    id: str
    username: str
    token: str
    key: str
    person: str

    async def write(self, text: str, person: str | None = None) -> None:
        order = {"from": person or self.person, "to": self.username, "text": text}
        await self.stage.control("POST", "/telegram/messages", **order)

    async def chat(self) -> list[dict[str, Any]]:
        query = f"of={self.person}&with={self.username}"
        found: list[dict[str, Any]] = await self.stage.control("GET", f"/telegram/messages?{query}")
        return found

    async def said(self, count: int) -> list[dict[str, Any]]:
        """Wait until the bot has said so much; return it."""

        async def enough() -> list[dict[str, Any]]:
            told = [message for message in await self.chat() if not message["out"]]
            return told if len(told) >= count else []

        return await eventually(enough, awaited=f"{count} messages of the bot")

    async def press(self, message: dict[str, Any], row: int, column: int) -> Any:
        order = {"by": self.person, "chat_with": self.username, "message_id": message["id"]}
        return await self.stage.control("POST", "/telegram/press", button=[row, column], **order)

    async def people(self) -> list[dict[str, Any]]:
        response = await self.stage.ask("GET", f"/bots/{self.id}/people", self.key)
        found: list[dict[str, Any]] = response.json()["people"]
        return found

    async def wait_for_person(self, **wanted: Any) -> dict[str, Any]:
        async def found() -> dict[str, Any] | None:
            people = (each for each in await self.people() if wanted.items() <= each.items())
            return next(people, None)

        person: dict[str, Any] | None = await eventually(found, awaited=f"somebody with {wanted}")
        assert person is not None
        return person


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def sandbox(folder: Path) -> AsyncIterator[dict[str, str]]:
    async with running_sandbox(folder) as addresses:
        yield addresses


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def own_token(sandbox: dict[str, str]) -> str:
    """Make the bot that is started with the gateway."""
    async with caller(sandbox["SANDBOX_URL"]) as http:
        order = {"bot": True, "username": "gateway_bot"}
        made = (await http.post("/telegram/accounts", json=order)).json()
    return str(made["bot_token"])


@pytest.fixture(scope="package")
def settings(folder: Path, sandbox: dict[str, str], own_token: str) -> dict[str, str]:
    return settings_of(folder, sandbox) | {"TELEGRAM_BOT_TOKEN": own_token, "LANGUAGE": "en"}


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def server(folder: Path, settings: dict[str, str]) -> AsyncIterator[Server]:
    async with forked_gateway(folder, settings, APP) as started:
        await started.wait_serving()
        yield started


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stage(server: Server, sandbox: dict[str, str]) -> AsyncIterator[Stage]:
    async with caller(server.url) as gateway, caller(sandbox["SANDBOX_URL"]) as control:
        yield Stage(gateway, control)


async def make_bot(stage: Stage, **fields: Any) -> Bot:
    """Make a bot in the sandbox, register it, and add a person whose phone nobody sees."""
    ordinal = next(ORDINALS)
    username, phone = f"helper{ordinal}_bot", f"38067000{ordinal:04}"
    account = await stage.control("POST", "/telegram/accounts", bot=True, username=username)
    person = {"phone": phone, "first_name": "Andriy", "username": f"andriy{ordinal}"}
    await stage.control("POST", "/telegram/accounts", **person, phone_visible=False)
    body = {"name": CLIENT, "token": account["bot_token"]} | fields
    made = await stage.ask("POST", "/bots?wait=60", **body)
    assert (made.status_code, made.json()["state"]) == (201, "online"), made.text
    answer = made.json()
    assert (answer["bot"], answer["username"]) == (str(account["user_id"]), username)
    return Bot(stage, answer["bot"], username, account["bot_token"], answer["key"], phone)


@pytest_asyncio.fixture(loop_scope="session")
async def bot(stage: Stage) -> Bot:
    return await make_bot(stage)
