"""A TeamFlame of the sandbox with people in it, and people in Telegram who call our service."""

from __future__ import annotations

import hmac
import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from teamflame.teamflame import TeamFlame
from tests.fakes.messenger import Phone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from quart.typing import TestClientProtocol

    from supervisor.store.store import Store
    from teamflame.dialog.conversation import Conversation
    from tests.fakes.messenger import FakeMessenger

BOT_TOKEN = "7000000001:AAE-a-bot-token-of-the-tests"
ANNA = {"email": "anna@example.com", "password": "anna-secret", "first_name": "Anna"}
BORIS = {"email": "boris@example.com", "password": "boris-secret", "first_name": "Boris"}
CARL = {"email": "carl@example.com", "password": "carl-secret", "first_name": "Carl"}
_USERS = count(6_000_000_000)  # beyond 32 bits, as the ids of new Telegram users are
COLUMNS = ("To do", "Doing", "Done")
HOSTILE = "<script>alert(1)</script><b>Bold</b> & <i>more</i>"


def office(**settings: Any) -> dict[str, Any]:
    """Describe a TeamFlame: Anna and Boris share a space, Carl has one of his own."""
    week = {
        "name": "Week",
        "columns": COLUMNS,
        "tasks": [
            {"name": "Bake", "assignees": [ANNA["email"]], "due": "2026-12-01T12:00:00.000Z"},
            {
                "name": "Clean",
                "column": "Doing",
                "description": "<p>Floor &amp; windows</p>",
                "comments": [{"by": BORIS["email"], "text": "<p>Soon<br>or later</p>"}],
            },
        ],
    }
    shop = {"name": "Shop", "key": "SHP", "boards": [week, {"name": "Month"}]}
    own = {"name": "Own", "key": "OWN", "boards": [{"name": "Private", "tasks": [{"name": "X"}]}]}
    return {
        "people": [ANNA, BORIS, CARL],
        "spaces": [
            {"name": "Bakery", "people": [ANNA["email"], BORIS["email"]], "projects": [shop]},
            {"name": "Carl's", "people": [CARL["email"]], "projects": [own]},
        ],
        **settings,
    }


def init_data(
    user_id: int, *, at: float | None = None, bot_token: str = BOT_TOKEN, **fields: str
) -> str:
    """Make what Telegram hands to a Mini App, signed with the bot's token."""
    user = {"id": user_id, "first_name": "Ann", "language_code": "ru"}
    data = {
        "auth_date": str(int(time.time() if at is None else at)),
        "query_id": "AAF",
        "signature": "unchecked",
        "user": json.dumps(user, separators=(",", ":")),
        **fields,
    }
    lines = "\n".join(f"{key}={value}" for key, value in sorted(data.items()))
    secret = hmac.digest(b"WebAppData", bot_token.encode(), "sha256")
    return urlencode(data | {"hash": hmac.digest(secret, lines.encode(), "sha256").hex()})


@dataclass
class Person:
    """A Telegram user who calls our service."""

    client: TestClientProtocol
    user_id: int
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"tma {init_data(self.user_id)}"}

    async def call(self, method: str, path: str, **fields: Any) -> tuple[int, Any]:
        body = fields if fields or method in {"POST", "PUT", "PATCH"} else None
        response = await self.client.open(
            f"/teamflame/api{path}", method=method, headers=self.headers, json=body
        )
        text = await response.get_data(as_text=True)
        return response.status_code, json.loads(text) if response.is_json else None

    async def get(self, path: str) -> Any:
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body

    async def do(self, method: str, path: str, **fields: Any) -> Any:
        status, body = await self.call(method, path, **fields)
        assert status in {200, 201}, body
        return body

    async def sign_in(self, who: dict[str, str]) -> Any:
        keys = {"email": who["email"], "password": who["password"]}
        return await self.do("POST", "/auth/sign-in", **keys)


@dataclass
class Office:
    """The TeamFlame of a test, from both sides."""

    control: httpx.AsyncClient
    store: Store
    name: str
    teamflame: TeamFlame
    client: TestClientProtocol
    messenger: FakeMessenger
    conversation: Conversation
    ids: dict[str, str] = field(default_factory=dict)

    def person(self) -> Person:
        """Return somebody in Telegram whom nobody has seen before."""
        return Person(self.client, next(_USERS))

    def phone(self) -> Phone:
        """Return the phone of somebody who has never written to the bot."""
        return Phone(self.messenger, self.conversation, next(_USERS))

    async def signed_in(self, who: dict[str, str], *, board: str | None = None) -> Phone:
        """Return the phone of somebody who has signed in, and perhaps chosen a board."""
        phone = self.phone()
        await phone.write("/signin")
        await phone.write(who["email"])
        await phone.write(who["password"])
        if board is not None:
            await phone.press("Bakery")
            await phone.press("Shop")
            await phone.press(board)
        return phone

    @asynccontextmanager
    async def restarted(self) -> AsyncIterator[TeamFlame]:
        """Offer what another process of the gateway makes of the same database."""
        store = self.store
        made = TeamFlame(self.teamflame.config, store.database, store.vault, store.link_keys)
        yield made
        await made.stop()

    async def set_up(self, **settings: Any) -> None:
        """Make the TeamFlame anew, and remember the ids of what has a name."""
        body = office(**settings)
        response = await self.control.put(f"/teamflame/{self.name}", json=body)
        assert response.status_code == 200, response.text
        self.ids = dict(_ids(response.json()["spaces"]))

    async def act(self, who: dict[str, str], do: str, **fields: Any) -> Any:
        body = {"by": who["email"], "do": do, **fields}
        response = await self.control.post(f"/teamflame/{self.name}/act", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    async def break_with(self, mode: str, **fields: Any) -> None:
        url = f"/teamflame/{self.name}/faults"
        response = await self.control.post(url, json={"mode": mode} | fields)
        assert response.status_code == 200, response.text

    async def calls(self, path: str = "") -> list[dict[str, Any]]:
        found = (await self.control.get(f"/teamflame/{self.name}/calls")).json()
        return [call for call in found if path in call["path"]]

    async def task(self, name: str) -> dict[str, Any]:
        """Show a task as it is at TeamFlame, with the name of its column."""
        found = (await self.control.get(f"/teamflame/{self.name}")).json()
        for column in _columns(found["spaces"]):
            for task in column["tasks"]:
                if task["name"] == name:
                    return {**task, "column": column["name"]}
        raise AssertionError(f"no task {name}")


def _columns(spaces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        column
        for space in spaces
        for project in space["projects"]
        for board in project["boards"]
        for column in board["columns"]
    ]


def _ids(things: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for thing in reversed(things):
        for kind in ("projects", "boards", "columns", "tasks"):
            found += _ids(thing.get(kind, []))
        found.append((thing["name"], thing["id"]))
    return found
