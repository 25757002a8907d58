"""A TeamFlame with people and boards, and a bot for it, for SANDBOX=1."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import httpx

from api.demo import READY_POLL
from api.teamflame import CLIENT, config_of, serve_teamflame
from supervisor.errors import NumberUnknown
from teamflame.service.client import ServiceConfig

if TYPE_CHECKING:
    from quart import Quart

    from api.settings import Settings
    from supervisor.gateway import Gateway

logger = logging.getLogger(__name__)

BOT: Final = "teamflame_demo_bot"
ANNA, BORIS = "anna@example.com", "boris@example.com"
COLUMNS: Final = ("To do", "In progress", "Done")
OFFICE: Final[dict[str, Any]] = {
    "people": [
        {"email": ANNA, "password": "demo", "first_name": "Anna", "last_name": "Bondar"},
        {"email": BORIS, "password": "demo", "first_name": "Boris", "last_name": "Hryn"},
    ],
    "spaces": [
        {
            "name": "Bakery",
            "projects": [
                {
                    "name": "Shop",
                    "key": "SHP",
                    "boards": [
                        {
                            "name": "This week",
                            "columns": COLUMNS,
                            "tasks": [
                                {"name": "Order flour", "assignees": [ANNA], "due": "+1d"},
                                {"name": "Bake the wedding cake", "due": "+3d", "by": BORIS},
                                {
                                    "name": "Repair the oven",
                                    "column": "In progress",
                                    "assignees": [BORIS],
                                    "description": "<p>The lower door does not close.</p>",
                                    "comments": [{"by": BORIS, "text": "The part comes tomorrow."}],
                                },
                                {"name": "New price list", "column": "Done", "assignees": [ANNA]},
                            ],
                        },
                        {"name": "Ideas", "columns": COLUMNS},
                    ],
                },
                {"name": "Deliveries", "key": "DLV", "boards": [{"name": "Routes"}]},
            ],
        }
    ],
}


async def run_teamflame_demo(
    app: Quart, settings: Settings, gateway: Gateway, sandbox_url: str
) -> None:
    """Serve the demo until this is cancelled."""
    while not (await gateway.readiness()).ok:  # noqa: ASYNC110 - the gateway offers no event to wait for
        await asyncio.sleep(READY_POLL)
    await _purge_earlier(gateway)
    token = await _set_up(sandbox_url)
    service = ServiceConfig(
        auth_url=f"{sandbox_url}/teamflame/demo/auth", api_url=f"{sandbox_url}/teamflame/demo/api"
    )
    config = replace(config_of(settings, sandbox_url), bot_token=token, service=service)
    async with serve_teamflame(app, gateway, config, is_awaited=False):
        logger.info("demo bot @%s: sign in as %s with the password demo", BOT, ANNA)
        await asyncio.Event().wait()


async def _purge_earlier(gateway: Gateway) -> None:
    """Erase the bot of an earlier run, which is of no use: the sandbox keeps nothing."""
    for view in await gateway.numbers(CLIENT, are_bots=True):
        with suppress(NumberUnknown):  # the demo of the numbers erases earlier bots as well
            await gateway.stop(view.number, purge=True)


async def _set_up(sandbox_url: str) -> str:
    async with httpx.AsyncClient(base_url=sandbox_url, timeout=30.0, trust_env=False) as control:
        (await control.put("/teamflame/demo", json=OFFICE)).raise_for_status()
        account = {"bot": True, "username": BOT, "first_name": "TeamFlame"}
        response = await control.post("/telegram/accounts", json=account)
        return str(response.raise_for_status().json()["bot_token"])
