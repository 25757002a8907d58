"""Starts bots whose tokens are settings, together with the gateway."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.bots.models import NewBot
from supervisor.bots.bot_service import bot_of
from supervisor.errors import GatewayError, LoginError, NumberExists, StandingBy
from supervisor.monitoring.alarms import GIVEN_UP
from supervisor.notifications.formatting.marked_text import MarkedText
from supervisor.notifications.notice import Manner, make_notice
from supervisor.notifications.notification_service import Sender
from supervisor.notifications.recipients import Address, AddressKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.settings import Settings
    from supervisor.gateway import Gateway
    from supervisor.notifications.notification_service import NotificationService

CLIENT = "gateway"
"""The client to whom the bot of TELEGRAM_BOT_TOKEN belongs."""

PAUSE = 2.0  # seconds, while the gateway stands by or Telegram cannot be reached
LONGEST = 10.0  # seconds for which the gateway is not ready because of a bot

logger = logging.getLogger(__name__)


@asynccontextmanager
async def start_bot(
    token: str, client: str, language: str, gateway: Gateway, *, is_awaited: bool = True
) -> AsyncIterator[None]:
    """Start a bot in the background, however long that takes; without a token, start none.

    Messages to a new bot are lost until it is online. If it is awaited, the gateway therefore does
    not count as ready before that, but for no longer than LONGEST.
    """
    if not token:
        yield
        return
    if is_awaited:
        gateway.starting |= {client}
        asyncio.get_running_loop().call_later(LONGEST, _await_no_longer, gateway, client)
    starting = asyncio.create_task(_start(token, client, language, gateway), name="own bot")
    try:
        yield
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting


@dataclass(frozen=True, slots=True)
class AlarmWriter:
    """Sends alarms by the gateway's own bot, as notifications like any others."""

    notifications: NotificationService
    bot: str
    reader: str

    async def write(self, key: str, text: str) -> None:
        manner = Manner(dedup_key=f"alarm:{key}", expires=time.time() + GIVEN_UP)
        notice = make_notice(MarkedText(text), [], manner)
        sender = Sender(self.bot, is_bot=True, language="")
        address = Address(self.reader, AddressKind.CHAT, self.reader)
        answer = await self.notifications.notify(sender, [address], notice, manner)
        for rejected in answer.rejected:
            logger.warning("an alarm reaches nobody: %s", rejected.detail or rejected.code)


@asynccontextmanager
async def own_bot(settings: Settings, gateway: Gateway) -> AsyncIterator[None]:
    """Run the bot of TELEGRAM_BOT_TOKEN, which sends alarms to TELEGRAM_CHAT_ID."""
    token = settings.telegram_bot_token.get_secret_value()
    if settings.alert_chat:
        reader = str(settings.alert_chat)
        gateway.monitor.alarms.chat = AlarmWriter(gateway.notifications, bot_of(token), reader)
    elif token and settings.telegram_chat_id:
        logger.warning(
            "TELEGRAM_CHAT_ID is not the id of a chat, so the bot sends alarms to nobody"
        )
    async with start_bot(token, CLIENT, settings.language, gateway):
        yield


async def _start(token: str, client: str, language: str, gateway: Gateway) -> None:
    new = NewBot(name=client, token=token).as_value(language)
    while True:
        try:
            gateway.takeover.require()
            found = await gateway.bots.find_by_token(token)
            if found is None:
                await gateway.bots.create(new, "gateway")
                await gateway.wait_settled(new.number, LONGEST)
        except NumberExists:
            logger.info("the bot of %s runs already, with another token", client)
        except LoginError as exc:
            logger.error("the bot of %s cannot be started: %s", client, exc)  # noqa: TRY400 - no bug of ours
        except GatewayError as exc:
            level = logging.DEBUG if isinstance(exc, StandingBy) else logging.WARNING
            logger.log(level, "the bot of %s is not started yet: %s", client, exc)
            if not isinstance(exc, StandingBy):
                _await_no_longer(gateway, client)
            await asyncio.sleep(PAUSE)
            continue
        _await_no_longer(gateway, client)
        return


def _await_no_longer(gateway: Gateway, client: str) -> None:
    gateway.starting -= {client}
