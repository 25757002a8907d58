"""Plugs TeamFlame in: its calls, its bot, and what SANDBOX=1 adds."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import httpx
from quart import request

from api.bots.own_bot import start_bot
from api.context import context
from api.demo import READY_POLL
from api.security.client_address import neighbourhood
from supervisor.background_loop import BackgroundLoop
from supervisor.bots.bot_service import bot_of
from supervisor.bots.chat import REFUSALS
from supervisor.errors import NumberUnknown, StandingBy
from teamflame.dialog.conversation import Conversation
from teamflame.service.client import ServiceConfig
from teamflame.service.endpoints import Dialect
from teamflame.teamflame import TeamFlame, TeamFlameConfig
from teamflame.watching.watching import Watching
from teamflame.web import auth, boards, mini_app, tasks
from teamflame.web.admission import share

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from quart import Quart

    from api.settings import Settings
    from supervisor.gateway import Gateway


CLIENT = "TeamFlame"
"""The client to whom the bot belongs."""

PRESENT_PAUSE = 5.0  # seconds until the bot's menu is tried again
ERASE_PAUSE = 24 * 3600.0  # seconds between two looks for old buttons


def register_teamflame(app: Quart) -> None:
    """Register the calls of TeamFlame's part; a gateway on standby refuses them like all others."""
    for module in (auth, boards, tasks, mini_app):
        app.register_blueprint(module.blueprint)
    app.before_request(_require_active)


def config_of(settings: Settings, *frame_origins: str) -> TeamFlameConfig:
    return TeamFlameConfig(
        bot_token=settings.teamflame_bot_token.get_secret_value(),
        service=ServiceConfig(
            auth_url=settings.teamflame_auth_url,
            api_url=settings.teamflame_api_url,
            dialect=Dialect(settings.teamflame_profile),
        ),
        app_url=f"{settings.public_url}/teamflame/app/",
        language=settings.language,
        frame_origins=frame_origins,
    )


@asynccontextmanager
async def serve_teamflame(
    app: Quart, gateway: Gateway, config: TeamFlameConfig, *, is_awaited: bool = True
) -> AsyncIterator[None]:
    """Serve TeamFlame's calls, run its bot and watch boards while entered, if there is a bot."""
    if not config.bot_token:
        yield
        return
    async with AsyncExitStack() as stack:
        teamflame = TeamFlame(config, gateway.database, gateway.vault, gateway.link_keys)
        stack.push_async_callback(teamflame.stop)
        share(app, teamflame, _address_of_caller)
        chat = gateway.bots.chat_of(bot_of(config.bot_token), config.language)
        conversation = Conversation(teamflame, teamflame.dialogs, chat)
        chat.listen(conversation)
        stack.callback(chat.listen, None)
        teamflame.accounts.on_lost(
            lambda users: conversation.report_lost(users, f"lost:{time.time():.0f}")
        )
        bot = start_bot(config.bot_token, CLIENT, config.language, gateway, is_awaited=is_awaited)
        await stack.enter_async_context(bot)
        for chore in _chores(gateway, teamflame, conversation):
            chore.start()
            stack.push_async_callback(chore.stop)
        watching = Watching(teamflame, conversation, chat)
        watching.start()
        stack.push_async_callback(watching.stop)
        yield


def _chores(
    gateway: Gateway, teamflame: TeamFlame, conversation: Conversation
) -> list[BackgroundLoop]:
    async def present() -> float | None:
        try:
            gateway.takeover.require()
            await conversation.present()
        except (StandingBy, *REFUSALS):
            return PRESENT_PAUSE  # the bot is not online yet, or runs on another node
        return None

    async def tidy() -> float:
        try:
            gateway.takeover.require()
        except StandingBy:
            return PRESENT_PAUSE  # the gateway may be on standby for days, which is no failure
        await teamflame.account_store.rewrap()
        await teamflame.dialogs.erase_old()
        return ERASE_PAUSE

    return [
        BackgroundLoop("the menu of the TeamFlame bot", present, PRESENT_PAUSE),
        BackgroundLoop("tidying up after the TeamFlame bot", tidy, PRESENT_PAUSE),
    ]


async def _require_active() -> None:
    if request.path.startswith("/teamflame/"):
        context()


def _address_of_caller() -> str:
    return neighbourhood(context().authenticator.address_of(request))


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
