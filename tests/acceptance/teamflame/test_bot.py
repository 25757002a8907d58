"""The TeamFlame bot over real MTProto: the gateway as a program, the sandbox, nothing between them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.acceptance.api import shared
from tests.acceptance.teamflame.office import ANNA, BORIS, CARL, init_data
from tests.acceptance.teamflame.stage import BOT, Stage, set_stage
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="session")

folder, sandbox = shared.folder, shared.sandbox
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(folder: Path, sandbox: dict[str, str]) -> AsyncIterator[Stage]:
    async with set_stage(folder, sandbox) as made, made.running():
        yield made


async def test_from_sign_in_to_a_notification(stage: Stage) -> None:
    """A newcomer signs in, picks a board, creates and moves a card, and hears what another did."""
    await stage.write("/start")
    await stage.said("brings your TeamFlame boards")
    await stage.write("/signin")
    await stage.said("e-mail")
    await stage.write(ANNA["email"])
    await stage.said("password")
    await stage.write(ANNA["password"])
    await stage.press("signed in as Anna", "Bakery")
    await stage.press("choose a project", "Shop")
    await stage.press("choose a board", "Week")
    await stage.said("• SHP-1 Bake")
    assert ANNA["password"] not in [each["text"] for each in await stage.chat()]

    await stage.write("/new Sell")
    await stage.press("Created: SHP-3 Sell", "Move to")
    await stage.press("where to?", "Done")
    await stage.said("SHP-3 Sell → Done")

    launch = await stage.call("POST", "/auth/telegram")
    board = launch.json()["selection"]["board_id"]
    shown = await stage.call("GET", f"/boards/{board}")
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
        return found["commands"] and "/teamflame/app/" in str(found["menu_button"])

    await eventually(look, awaited="the bot's commands and the app in its menu")
    page = await stage.ask("GET", "/teamflame/app/", {})
    assert page.status_code == 200
    assert "X-Frame-Options" not in page.headers


async def test_no_call_breaks_the_service(stage: Stage) -> None:
    """Whatever is sent to a call that /openapi.json describes: never a 5xx, always a body as described."""
    stranger = 7_000_000_000
    raw = init_data(stranger, bot_token=stage.bot_token)
    proof = {"Authorization": f"tma {raw}"}
    keys = {"email": CARL["email"], "password": CARL["password"]}
    signed_in = await stage.ask("POST", "/teamflame/api/auth/sign-in", proof, keys)
    assert signed_in.status_code == 200
    assert stage.server is not None

    tried = await asyncio.to_thread(_try_all, stage.server.url, proof)

    assert ("POST", "/teamflame/api/tasks") in tried
    assert len(tried) >= 18


def _try_all(url: str, proof: dict[str, str]) -> set[tuple[str, str]]:
    described: Any = schemathesis.openapi.from_url(f"{url}/openapi.json", timeout=PATIENCE)
    tried = set()
    for path in described:
        for method in described[path]:
            if path.startswith("/teamflame/api/") and not path.endswith("sign-out"):
                _try(described[path][method], url, proof)
                tried.add((method.upper(), path))
    return tried


def _try(call: Any, url: str, proof: dict[str, str]) -> None:
    # Ids in an address are any text, so only a body can differ from its description.
    modes = GenerationMode if call.body else [GenerationMode.POSITIVE]
    for mode in modes:
        made_up = call.as_strategy(generation_mode=mode)

        @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=made_up)
        def attempt(case: Any) -> None:
            case.call_and_validate(base_url=url, headers=proof, checks=CHECKS, timeout=PATIENCE)

        attempt()
