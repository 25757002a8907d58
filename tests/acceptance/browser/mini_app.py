"""The Mini App in Chromium as Telegram opens it, with a TeamFlame of the sandbox behind the gateway."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.acceptance.teamflame.office import ANNA, BORIS, COLUMNS, init_data
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import httpx
    from playwright.async_api import Browser, Locator, Page

WORKSPACE = "browser"
PHONE: dict[str, Any] = {
    "viewport": {"width": 412, "height": 839},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1100, "height": 760}}
DARK = {
    "bg_color": "#17212b",
    "text_color": "#f5f5f5",
    "button_color": "#5288c1",
    "button_text_color": "#ffffff",
    "secondary_bg_color": "#232e3c",
    "hint_color": "#708499",
}
LIGHT = {
    "bg_color": "#ffffff",
    "text_color": "#000000",
    "button_color": "#3390ec",
    "button_text_color": "#ffffff",
    "secondary_bg_color": "#f4f4f5",
    "hint_color": "#707579",
}
# What Telegram's own web view offers to a page, as far as the page asks for it.
TELEGRAM = """
const answers = {
  web_app_request_viewport: () => ['viewport_changed',
    {height: innerHeight, width: innerWidth, is_expanded: true, is_state_stable: true}],
  web_app_request_safe_area: () => ['safe_area_changed', {top: 0, bottom: 0, left: 0, right: 0}],
  web_app_request_content_safe_area: () => ['content_safe_area_changed',
    {top: 0, bottom: 0, left: 0, right: 0}],
};
window.TelegramWebviewProxy = {postEvent(name) {
  const answer = answers[name]?.();
  if (answer) setTimeout(() => window.Telegram?.WebView?.receiveEvent?.(...answer), 0);
}};
"""
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
BARRIERS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}"""
MANY = 500  # cards of the board that is called so
_USERS = count(6_500_000_000)


@dataclass
class MiniApp:
    """The gateway that serves the Mini App, the TeamFlame behind it, a browser in front of it."""

    browser: Browser
    gateway: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    bot_token: str
    ids: Mapping[str, str]

    @asynccontextmanager
    async def opened(
        self,
        board: str | None = None,
        *,
        device: Mapping[str, Any] = PHONE,
        theme: Mapping[str, str] = DARK,
        language: str = "en",
        start_param: str | None = None,
        startapp: str | None = None,
    ) -> AsyncIterator[Page]:
        """Open it as Anna, who has signed in if she has chosen a board; a page must not complain."""
        user_id = next(_USERS)
        user = {"id": user_id, "first_name": "Anna", "language_code": language}
        fields: dict[str, Any] = {"user": json.dumps(user)}
        if start_param is not None:
            fields["start_param"] = start_param
        data = init_data(user_id, bot_token=self.bot_token, **fields)
        if board is not None:
            await self._choose(data, board)
        query = f"?startapp={startapp}" if startapp else ""
        launch = {
            "tgWebAppData": data,
            "tgWebAppVersion": "8.0",
            "tgWebAppPlatform": "android",
            "tgWebAppThemeParams": json.dumps(theme),
        }
        async with self.page(device) as page:
            await page.add_init_script(TELEGRAM)
            await page.goto(f"{self.gateway.base_url}/teamflame/app/{query}#{urlencode(launch)}")
            yield page

    @asynccontextmanager
    async def page(self, device: Mapping[str, Any]) -> AsyncIterator[Page]:
        context = await self.browser.new_context(**device)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            # The browser itself says this of each call that is refused, as some tests want it.
            lambda said: (
                complaints.append(said.text)
                if said.type in {"error", "warning"} and "Failed to load resource" not in said.text
                else None
            ),
        )
        yield page
        await context.close()
        assert complaints == []

    async def act(self, do: str, board: str, **fields: Any) -> Any:
        """Let Boris do something at TeamFlame."""
        body = {"by": BORIS["email"], "do": do, "board": board, **fields}
        response = await self.sandbox.post(f"/teamflame/{WORKSPACE}/act", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def tasks(self, board: str) -> dict[str, dict[str, Any]]:
        """Show the tasks of a board as they are at TeamFlame, with the names of their columns."""
        found = (await self.sandbox.get(f"/teamflame/{WORKSPACE}")).json()
        return {
            task["name"]: task | {"column": column["name"]}
            for each in _boards(found)
            if each["name"] == board
            for column in each["columns"]
            for task in column["tasks"]
        }

    async def _choose(self, data: str, board: str) -> None:
        headers = {"Authorization": f"tma {data}"}
        keys = {"email": ANNA["email"], "password": ANNA["password"]}
        url = "/teamflame/api"
        answers = [
            await self.gateway.post(f"{url}/auth/sign-in", json=keys, headers=headers),
            await self.gateway.put(
                f"{url}/boards/{self.ids[board]}/selected", json={}, headers=headers
            ),
        ]
        assert [answer.status_code for answer in answers] == [200, 200], answers[-1].text


def team(*boards: str) -> dict[str, Any]:
    """Describe a TeamFlame in which each test has a board of its own."""
    tasks = [{"name": "Bake"}, {"name": "Clean", "column": "Doing"}]
    many = [{"name": f"Card {place}", "column": COLUMNS[place % 3]} for place in range(MANY)]
    made = [
        {"name": name, "columns": COLUMNS, "tasks": many if name == "Many" else tasks}
        for name in boards
    ]
    return {
        "people": [ANNA, BORIS],
        "spaces": [
            {"name": "Bakery", "projects": [{"name": "Shop", "key": "SHP", "boards": made}]}
        ],
    }


def ids_of(described: dict[str, Any]) -> dict[str, str]:
    """Return the ids of boards by name, and those of columns as "Done of Week"."""
    boards = _boards(described)
    columns = {
        f"{column['name']} of {board['name']}": column["id"]
        for board in boards
        for column in board["columns"]
    }
    return columns | {board["name"]: board["id"] for board in boards}


async def barriers(page: Page) -> list[str]:
    """Return what axe finds wrong with the page as it looks now."""
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(BARRIERS)
    return found


def column(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def card(place: Page | Locator, name: str) -> Locator:
    return place.get_by_role("button", name=name, exact=True)


def _boards(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        board
        for space in described["spaces"]
        for project in space["projects"]
        for board in project["boards"]
    ]
