"""The gateway is killed in the middle of a conversation and of a move; nothing is lost or done twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.api import shared
from tests.acceptance.teamflame.office import ANNA
from tests.acceptance.teamflame.stage import Stage, set_stage
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

pytestmark = pytest.mark.asyncio(loop_scope="session")

folder, sandbox = shared.folder, shared.sandbox


async def test_killed_in_the_middle(folder: Path, sandbox: dict[str, str]) -> None:
    """After kill -9 the bot still knows what it has asked for, and a card is where it was or was going to."""
    async with set_stage(folder, sandbox) as stage:
        async with stage.running():
            await stage.call(
                "POST", "/auth/sign-in", email=ANNA["email"], password=ANNA["password"]
            )
            board = await _choose_board(stage)
            await stage.write("/new")
            await stage.said("What is the task called?")
            moving = asyncio.create_task(_move_slowly(stage, board))
            await eventually(lambda: _is_moving(stage))
            await _kill(stage)
            await asyncio.gather(moving, return_exceptions=True)
        await stage.control("DELETE", "/teamflame/e2e/faults")
        await stage.write("Sell")
        async with stage.running():
            await stage.said("Created: SHP-3 Sell")
            shown = (await stage.call("GET", f"/boards/{board['id']}")).json()

    titles = [task["title"] for column in shown["columns"] for task in column["tasks"]]
    assert sorted(titles) == ["Bake", "Clean", "Sell"]


async def _choose_board(stage: Stage) -> dict[str, Any]:
    space = (await stage.call("GET", "/spaces")).json()["spaces"][0]["id"]
    project = (await stage.call("GET", f"/projects?space_id={space}")).json()["projects"][0]["id"]
    week = (await stage.call("GET", f"/boards?project_id={project}")).json()["boards"][0]["id"]
    await stage.call("PUT", f"/boards/{week}/selected")
    board: dict[str, Any] = (await stage.call("GET", f"/boards/{week}")).json()
    return board


async def _move_slowly(stage: Stage, board: dict[str, Any]) -> httpx.Response:
    slow = {"mode": "slow", "seconds": 600, "cmd": "change_column"}
    await stage.control("POST", "/teamflame/e2e/faults", **slow)
    task, target = board["columns"][0]["tasks"][0]["id"], board["columns"][2]["id"]
    return await stage.call("POST", f"/tasks/{task}/move", column_id=target)


async def _is_moving(stage: Stage) -> bool:
    calls = await stage.control("GET", "/teamflame/e2e/calls")
    return any("change-column" in call["path"] for call in calls)


async def _kill(stage: Stage) -> None:
    assert stage.server is not None
    stage.server.process.kill()
    await stage.server.process.wait()
