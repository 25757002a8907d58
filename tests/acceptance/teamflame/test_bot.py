"""The TeamFlame bot over real MTProto: the gateway as a program, the sandbox, nothing between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from tests.acceptance.api import shared
from tests.acceptance.api.operator import ADMIN_KEY, SECRET_KEY
from tests.acceptance.api.server import gateway
from tests.acceptance.teamflame.office import ANNA, BORIS, init_data, office
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

folder, sandbox = shared.folder, shared.sandbox
PHONE = "380671112233"
BOT = "our_team_flame_bot"


@dataclass
class Stage:
    """A person in Telegram, the bot, and the TeamFlame behind it."""

    gateway: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    bot_token: str
    user_id: int

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
        answer = await self.gateway.get(f"/bots/{bot}", headers=key)
        return bool(answer.is_success and answer.json()["status"] == "online")

    async def is_watched(self) -> bool:
        """Tell whether the comments have been asked for, which only notifications need."""
        calls = await self.control("GET", "/teamflame/e2e/calls")
        return len([call for call in calls if "getTasksByColumn" in call["path"]]) >= 3

    async def act(self, who: dict[str, str], do: str, **fields: Any) -> None:
        await self.control("POST", "/teamflame/e2e/act", by=who["email"], do=do, **fields)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(folder: Path, sandbox: dict[str, str]) -> AsyncIterator[Stage]:
    url = sandbox["SANDBOX_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False) as control:
        person = {"phone": PHONE, "first_name": "Anna"}
        user_id = (await control.post("/telegram/accounts", json=person)).json()["user_id"]
        account = {"bot": True, "username": BOT, "first_name": "TeamFlame"}
        token = (await control.post("/telegram/accounts", json=account)).json()["bot_token"]
        (await control.put("/teamflame/e2e", json=office())).raise_for_status()
        settings = {
            "ADMIN_KEY": ADMIN_KEY,
            "SECRET_KEY": SECRET_KEY,
            "TELEGRAM_API_ID": "1",
            "TELEGRAM_API_HASH": "hash-of-the-acceptance-tests",
            "TELEGRAM_DC": sandbox["TELEGRAM_DC"],
            "TELEGRAM_DC_KEY": sandbox["TELEGRAM_DC_KEY"],
            "DATA_DIR": str(folder / "data"),
            "LANGUAGE": "en",
            "TEAMFLAME_BOT_TOKEN": token,
            "TEAMFLAME_AUTH_URL": f"{url}/teamflame/e2e/auth",
            "TEAMFLAME_API_URL": f"{url}/teamflame/e2e/api",
        }
        async with (
            gateway(folder, settings) as server,
            httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, trust_env=False) as http,
        ):
            await server.wait_serving()
            stage = Stage(http, control, token, user_id)
            await eventually(stage.is_online, awaited="the bot is online")
            yield stage


async def test_from_sign_in_to_a_notification(stage: Stage) -> None:
    """A newcomer signs in, picks a board, creates and moves a card, and hears what another did."""
    await stage.write("/start")
    await stage.said("brings your TeamFlame boards")
    await stage.write("/signin")
    await stage.said("e-mail")
    await stage.write(ANNA["email"])
    await stage.said("password")
    await stage.write(ANNA["password"])
    await stage.press("signed in as Anna", "Choose a board")
    await stage.press("Choose a space", "Bakery")
    await stage.press("choose a project", "Shop")
    await stage.press("choose a board", "Week")
    await stage.said("• SHP-1 Bake")
    assert ANNA["password"] not in [each["text"] for each in await stage.chat()]

    await stage.write("/new Sell")
    await stage.press("Created: SHP-3 Sell", "Move to")
    await stage.press("where to?", "Done")
    await stage.said("SHP-3 Sell → Done")

    proof = {"Authorization": f"tma {init_data(stage.user_id, bot_token=stage.bot_token)}"}
    launch = await stage.gateway.post("/teamflame/api/auth/telegram", headers=proof)
    board = launch.json()["selection"]["board_id"]
    shown = await stage.gateway.get(f"/teamflame/api/boards/{board}", headers=proof)
    assert [column["name"] for column in shown.json()["columns"]] == ["To do", "Doing", "Done"]

    await eventually(stage.is_watched, awaited="the board is watched")
    await stage.act(BORIS, "move", task="Bake", column="Doing")
    news = await stage.said("SHP-1 Bake moved to “Doing”")
    assert [button["text"] for row in news["buttons"] for button in row] == [
        "Open",
        "Comment",
        "Move to…",
    ]


async def test_bot_shows_its_commands_and_the_app(stage: Stage) -> None:
    """Telegram shows the bot's commands, and the Mini App in its menu, at our https address."""

    async def look() -> Any:
        found = await stage.control("GET", f"/telegram/bots/{BOT}")
        return found if found["commands"] and found["menu_button"] else None

    shown = await eventually(look)

    assert "/teamflame/app/" in str(shown["menu_button"])
    page = await stage.gateway.get("/teamflame/app/")
    assert page.status_code == 200
    assert "X-Frame-Options" not in page.headers
