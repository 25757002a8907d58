"""A person in Telegram, the TeamFlame bot of a gateway that runs as a program, and TeamFlame behind it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.acceptance.api.operator import ADMIN_KEY, settings_of
from tests.acceptance.api.server import forked_gateway
from tests.acceptance.teamflame.office import init_data, office
from tests.support.callers import caller
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.acceptance.api.server import Server

PHONE = "380671112233"
BOT = "our_team_flame_bot"


@dataclass
class Stage:
    """A person in Telegram, the bot, and the TeamFlame behind it."""

    folder: Path
    settings: dict[str, str]
    sandbox: httpx.AsyncClient
    user_id: int
    server: Server | None = None

    @property
    def bot_token(self) -> str:
        return self.settings["TEAMFLAME_BOT_TOKEN"]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the gateway until the end of the block, or until it is killed."""
        async with forked_gateway(self.folder, self.settings) as self.server:
            await self.server.wait_serving()
            await eventually(self.is_online, awaited="the bot is online")
            yield

    async def call(self, method: str, path: str, **fields: Any) -> httpx.Response:
        """Call the service as the Mini App of this person does."""
        user = json.dumps({"id": self.user_id, "first_name": "Anna", "language_code": "en"})
        raw = init_data(self.user_id, bot_token=self.bot_token, user=user)
        proof = {"Authorization": f"tma {raw}"}
        return await self.ask(method, f"/teamflame/api{path}", proof, fields)

    async def ask(
        self, method: str, path: str, headers: dict[str, str], fields: dict[str, Any] | None = None
    ) -> httpx.Response:
        assert self.server is not None
        async with caller(self.server.url) as http:
            return await http.request(method, path, json=fields, headers=headers)

    async def control(self, method: str, path: str, **fields: Any) -> Any:
        response = await self.sandbox.request(method, path, json=fields or None)
        assert response.status_code < 300, response.text
        return response.json()

    async def write(self, text: str) -> None:
        await self.control("POST", "/telegram/messages", **{"from": PHONE}, to=BOT, text=text)

    async def chat(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.control(
            "GET", f"/telegram/messages?of={PHONE}&with={BOT}"
        )
        return found

    async def said(self, text: str) -> dict[str, Any]:
        """Wait until the bot has said this; return the message."""

        async def look() -> dict[str, Any] | None:
            fitting = [each for each in await self.chat() if text in each["text"]]
            return fitting[-1] if fitting else None

        found: dict[str, Any] | None = await eventually(look, awaited=text)
        assert found is not None
        return found

    async def press(self, text: str, label: str) -> None:
        """Press a button of the message that says this."""
        message = await self.said(text)
        [place] = [
            [row, column]
            for row, buttons in enumerate(message["buttons"])
            for column, button in enumerate(buttons)
            if label in button["text"]
        ]
        order = {"by": PHONE, "chat_with": BOT, "message_id": message["id"]}
        await self.control("POST", "/telegram/press", **order, button=place)

    async def is_online(self) -> bool:
        bot = self.bot_token.partition(":")[0]
        key = {"Authorization": f"Bearer {ADMIN_KEY}"}
        answer = await self.ask("GET", f"/bots/{bot}", key)
        return bool(answer.is_success and answer.json()["status"] == "online")

    async def is_watched(self) -> bool:
        """Tell whether the comments have been asked for, which only notifications need."""
        calls = await self.control("GET", "/teamflame/e2e/calls")
        return len([call for call in calls if "getTasksByColumn" in call["path"]]) >= 3

    async def act(self, who: dict[str, str], do: str, **fields: Any) -> None:
        await self.control("POST", "/teamflame/e2e/act", by=who["email"], do=do, **fields)


@asynccontextmanager
async def set_stage(folder: Path, sandbox: dict[str, str]) -> AsyncIterator[Stage]:
    """Make a person, a bot and a TeamFlame in the sandbox; the gateway is not started yet."""
    url = sandbox["SANDBOX_URL"]
    async with caller(url) as control:
        person = {"phone": PHONE, "first_name": "Anna"}
        user_id = (await control.post("/telegram/accounts", json=person)).json()["user_id"]
        account = {"bot": True, "username": BOT, "first_name": "TeamFlame"}
        token = (await control.post("/telegram/accounts", json=account)).json()["bot_token"]
        (await control.put("/teamflame/e2e", json=office())).raise_for_status()
        settings = settings_of(folder, sandbox) | {
            "LANGUAGE": "en",
            "TEAMFLAME_BOT_TOKEN": token,
            "TEAMFLAME_AUTH_URL": f"{url}/teamflame/e2e/auth",
            "TEAMFLAME_API_URL": f"{url}/teamflame/e2e/api",
        }
        yield Stage(folder, settings, control, user_id)
