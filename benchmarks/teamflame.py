"""What TeamFlame's part costs: calls for 100 watched boards, delays, memory, and what a phone loads."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import statistics
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import psutil

from benchmarks.measurement import Measurement
from benchmarks.programs.gateway import running_gateway, until
from benchmarks.programs.numbers import register
from benchmarks.programs.sandbox import running_sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.programs.gateway import GatewayProgram
    from benchmarks.programs.sandbox import SandboxProgram

BOARDS = 100
MOVES = 8
MINUTE = 60.0
LOOKS = 0.1  # seconds between two looks at a chat
PHONE, NUMBER = "380671234567", "380501234567"
WORKSPACE = "/teamflame/bench"
ANNA = {"email": "anna@example.com", "password": "anna-secret", "first_name": "Anna"}
BORIS = {"email": "boris@example.com", "password": "boris-secret", "first_name": "Boris"}
COLUMNS = ("To do", "Doing", "Done")


@dataclass(frozen=True, slots=True)
class Stage:
    """A person, the bot of a gateway, and the TeamFlame behind it."""

    gateway: GatewayProgram
    sandbox: httpx.AsyncClient
    bot_token: str
    user_id: int
    boards: tuple[str, ...]

    async def call(self, method: str, path: str, **fields: Any) -> None:
        """Call the service as the Mini App does."""
        user = json.dumps({"id": self.user_id, "first_name": "Anna", "language_code": "en"})
        headers = {"Authorization": f"tma {_signed(self.bot_token, user=user)}"}
        answer = await self.gateway.http.request(
            method, f"/teamflame/api{path}", json=fields, headers=headers
        )
        answer.raise_for_status()

    async def calls(self) -> int:
        found = (await self.sandbox.get(f"{WORKSPACE}/calls")).json()
        return len(
            [call for call in found if "/getBy" in call["path"] or "/getTasksBy" in call["path"]]
        )

    async def read(self) -> str:
        """Return all that the person has in their chat with the bot."""
        chat = await self.sandbox.get(
            "/telegram/messages", params={"of": PHONE, "with": "bench_bot"}
        )
        return "\n".join(each["text"] for each in chat.json())


async def measure() -> list[Measurement]:
    with TemporaryDirectory() as name:
        async with running_sandbox() as sandbox, staged(Path(name), sandbox) as stage:
            return [
                *await loading(stage.gateway),
                *await watching(stage),
                *await telling(stage),
                *await remembering(stage, sandbox),
            ]


@asynccontextmanager
async def staged(folder: Path, sandbox: SandboxProgram) -> AsyncIterator[Stage]:
    """Run the gateway with a bot to which somebody has signed in and chosen all the boards."""
    url = sandbox.http_url
    async with httpx.AsyncClient(base_url=url, timeout=MINUTE, trust_env=False) as control:
        person = await control.post(
            "/telegram/accounts", json={"phone": PHONE, "first_name": "Anna"}
        )
        account = {"bot": True, "username": "bench_bot", "first_name": "TeamFlame"}
        token = (await control.post("/telegram/accounts", json=account)).json()["bot_token"]
        made = (await control.put(WORKSPACE, json=_office())).raise_for_status().json()
        boards = made["spaces"][0]["projects"][0]["boards"]
        settings = {
            "TEAMFLAME_BOT_TOKEN": token,
            "TEAMFLAME_AUTH_URL": f"{url}{WORKSPACE}/auth",
            "TEAMFLAME_API_URL": f"{url}{WORKSPACE}/api",
            "LANGUAGE": "en",
        }
        env = "".join(f"{name}={value}\n" for name, value in settings.items())
        await asyncio.to_thread((folder / ".env").write_text, env)
        async with running_gateway(folder, sandbox) as gateway:
            ids = tuple(board["id"] for board in boards)
            stage = Stage(gateway, control, token, person.json()["user_id"], ids)
            await gateway.until_serving()
            await until(lambda: _is_online(gateway))
            await control.post(
                "/telegram/messages", json={"from": PHONE, "to": "bench_bot", "text": "/start"}
            )
            keys = {"email": ANNA["email"], "password": ANNA["password"]}
            await stage.call("POST", "/auth/sign-in", **keys)
            for board in ids:
                await stage.call("PUT", f"/boards/{board}/selected")
            yield stage


async def loading(gateway: GatewayProgram) -> list[Measurement]:
    """Add up what a phone loads before it shows anything."""
    page = await gateway.http.get("/teamflame/app/")
    sizes = [len(page.content)]
    for name in re.findall(r'"\./(assets/[^"]+)"', page.text):
        request = gateway.http.build_request("GET", f"/teamflame/app/{name}")
        answer = await gateway.http.send(request, stream=True)
        sizes.append(len(b"".join([part async for part in answer.aiter_raw()])))
    return [Measurement("Mini App, compressed", sum(sizes) / 1000, "kB", at_most=150)]


async def watching(stage: Stage) -> list[Measurement]:
    """Count a minute's calls while the boards are new, when they are looked at most often."""

    async def is_watched() -> bool:
        return await stage.calls() >= 2 * BOARDS * (1 + len(COLUMNS))

    await until(is_watched)
    before, start = await stage.calls(), time.perf_counter()
    await asyncio.sleep(MINUTE)
    count, minutes = await stage.calls() - before, (time.perf_counter() - start) / MINUTE
    figure = f"calls a minute for {BOARDS} lively boards with comments"
    return [Measurement(figure, count / minutes, "calls")]


async def telling(stage: Stage) -> list[Measurement]:
    """Measure from what a colleague does until the person has read it, one after the other."""
    delays = []
    for number in range(MOVES):
        order = {"by": BORIS["email"], "do": "create", "board": stage.boards[number]}
        title = f"News {number}!"
        start = time.perf_counter()
        await stage.sandbox.post(f"{WORKSPACE}/act", json={**order, "name": title})

        async def is_told(title: str = title) -> bool:
            return title in await stage.read()

        await until(is_told, LOOKS)
        delays.append(time.perf_counter() - start)
    return [
        Measurement(
            "from a colleague's action until it is told, median", statistics.median(delays), "s"
        ),
        Measurement("from a colleague's action until it is told, longest", max(delays), "s"),
    ]


async def remembering(stage: Stage, sandbox: SandboxProgram) -> list[Measurement]:
    """Compare the worker of the bot with that of a number, both after some use."""
    await register(stage.gateway, sandbox, [NUMBER])
    await asyncio.sleep(MINUTE / 3)
    shown = {
        "bot": await stage.gateway.call("GET", f"/bots/{stage.bot_token.partition(':')[0]}"),
        "number": await stage.gateway.call("GET", f"/numbers/{NUMBER}"),
    }
    return [
        Measurement(f"private memory of the worker of the {what}", _private(each), "MB")
        for what, each in shown.items()
    ]


def _private(shown: dict[str, Any]) -> float:
    """Return the worker's private memory in MB, which does not depend on how many others there are."""
    return float(psutil.Process(shown["worker"]["pid"]).memory_full_info().uss) / 2**20


async def _is_online(gateway: GatewayProgram) -> bool:
    return any(bot["state"] == "online" for bot in (await gateway.call("GET", "/bots"))["bots"])


def _office() -> dict[str, Any]:
    boards = [
        {"name": f"Board {number}", "columns": COLUMNS, "tasks": [{"name": "Bake"}]}
        for number in range(BOARDS)
    ]
    project = {"name": "Shop", "key": "SHP", "boards": boards}
    return {"people": [ANNA, BORIS], "spaces": [{"name": "Bakery", "projects": [project]}]}


def _signed(bot_token: str, **fields: str) -> str:
    """Make what Telegram hands to a Mini App."""
    data = {"auth_date": str(int(time.time())), **fields}
    lines = "\n".join(f"{name}={value}" for name, value in sorted(data.items()))
    secret = hmac.digest(b"WebAppData", bot_token.encode(), "sha256")
    return urlencode(data | {"hash": hmac.digest(secret, lines.encode(), "sha256").hex()})
