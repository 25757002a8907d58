"""Plugs TeamFlame's part into the gateway: its calls, its bot, and the watching of boards."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from quart import request

from api.bots.own_bot import start_bot
from api.context import context
from api.security.client_address import neighbourhood
from supervisor.background_loop import BackgroundLoop
from supervisor.bots.bot_service import bot_of
from supervisor.bots.chat import REFUSALS
from supervisor.errors import StandingBy
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
    """Register the calls of TeamFlame's part; a gateway on standby refuses them as all others."""
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
            gateway.require_active()
            await conversation.present()
        except (StandingBy, *REFUSALS):
            return PRESENT_PAUSE  # the bot is not online yet, or runs on another node
        return None

    async def tidy() -> float:
        gateway.require_active()
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
