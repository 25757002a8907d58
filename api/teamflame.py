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
from supervisor.bots.bot_chat import ChatButton
from supervisor.bots.bot_service import bot_of
from supervisor.errors import StandingBy, TelegramRefused, WorkerUnavailable
from teamflame.dialog.conversation import Conversation
from teamflame.dialog.messenger import MessengerRefused, Pressed, Written
from teamflame.service.client import ServiceConfig
from teamflame.service.endpoints import Dialect
from teamflame.teamflame import TeamFlame, TeamFlameConfig
from teamflame.watching.watching import Watching
from teamflame.web import auth, boards, mini_app, tasks
from teamflame.web.admission import share

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping

    from quart import Quart

    from api.settings import Settings
    from supervisor.bots.bot_chat import BotChat, ChatButtons, ChatMessage, ChatPress
    from supervisor.gateway import Gateway
    from teamflame.dialog.messenger import Keys

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
    app: Quart, gateway: Gateway, config: TeamFlameConfig
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
        conversation = Conversation(teamflame, teamflame.dialogs, BotMessenger(chat))
        chat.listen(ConversationListener(conversation))
        stack.callback(chat.listen, None)
        teamflame.accounts.on_lost(
            lambda users: conversation.report_lost(users, f"lost:{time.time():.0f}")
        )
        bot = start_bot(config.bot_token, CLIENT, config.language, gateway)
        await stack.enter_async_context(bot)
        for chore in _chores(gateway, teamflame, conversation):
            chore.start()
            stack.push_async_callback(chore.stop)
        watching = Watching(teamflame, conversation, BotMessenger(chat))
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
        except (StandingBy, TelegramRefused, WorkerUnavailable):
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


class BotMessenger:
    """The gateway's bot as TeamFlame's part needs it."""

    def __init__(self, chat: BotChat) -> None:
        self._chat = chat

    @property
    def is_here(self) -> bool:
        return self._chat.is_here

    async def send(self, key: str, user_id: int, text: str, keys: Keys = ()) -> None:
        await self._chat.send(key, user_id, text, _buttons(keys))

    async def edit(self, chat_id: int, message_id: int, text: str, keys: Keys = ()) -> None:
        await _done(self._chat.edit(chat_id, message_id, text, _buttons(keys)))

    async def delete(self, chat_id: int, message_id: int) -> None:
        await _done(self._chat.delete(chat_id, message_id))

    async def answer(self, query_id: int, text: str = "") -> None:
        await _done(self._chat.answer(query_id, text))

    async def present(
        self, language: str, commands: Mapping[str, str], menu: str, app_url: str
    ) -> None:
        await self._chat.present(language, commands, menu, app_url)


class ConversationListener:
    """Hands what the bot hears to TeamFlame's conversation."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def handle_message(self, message: ChatMessage) -> None:
        await self._conversation.handle_message(
            Written(message.row, message.user_id, message.chat_id, message.message_id, message.text)
        )

    async def handle_press(self, press: ChatPress) -> None:
        await self._conversation.handle_press(
            Pressed(
                press.row,
                press.user_id,
                press.chat_id,
                press.message_id,
                press.query_id,
                press.data,
            )
        )


def _buttons(keys: Keys) -> ChatButtons:
    return tuple(tuple(ChatButton(k.text, k.data, k.web_app) for k in row) for row in keys)


async def _done(work: Awaitable[None]) -> None:
    try:
        await work
    except (TelegramRefused, WorkerUnavailable) as exc:
        raise MessengerRefused(str(exc)) from exc


async def _require_active() -> None:
    if request.path.startswith("/teamflame/"):
        context()


def _address_of_caller() -> str:
    return neighbourhood(context().authenticator.address_of(request))
