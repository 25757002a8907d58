"""Starts the bot of TELEGRAM_BOT_TOKEN together with the gateway."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from api.bots.models import NewBot
from supervisor.errors import GatewayError, LoginError, NumberExists, StandingBy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from api.settings import Settings
    from supervisor.gateway import Gateway

CLIENT = "gateway"
"""The client to whom the bot belongs."""

PAUSE = 2.0  # seconds, while the gateway stands by or Telegram cannot be reached

logger = logging.getLogger(__name__)


@asynccontextmanager
async def own_bot(settings: Settings, gateway: Gateway) -> AsyncIterator[None]:
    """Start the bot in the background, however long that takes; without a token there is none."""
    token = settings.telegram_bot_token.get_secret_value()
    if not token:
        yield
        return
    starting = asyncio.create_task(_start(token, settings, gateway), name="own bot")
    try:
        yield
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting


async def _start(token: str, settings: Settings, gateway: Gateway) -> None:
    new = NewBot(name=CLIENT, token=token).as_value(settings.language)
    while True:
        try:
            gateway.require_active()
            found = await gateway.bots.find_by_token(token)
            if found is None:
                await gateway.bots.create(new, "gateway")
        except NumberExists:
            logger.info("the bot of TELEGRAM_BOT_TOKEN runs already, with another token")
        except LoginError as exc:
            logger.error("the bot of TELEGRAM_BOT_TOKEN cannot be started: %s", exc)  # noqa: TRY400 - no bug of ours
        except GatewayError as exc:
            level = logging.DEBUG if isinstance(exc, StandingBy) else logging.WARNING
            logger.log(level, "the bot of TELEGRAM_BOT_TOKEN is not started yet: %s", exc)
            await asyncio.sleep(PAUSE)
            continue
        return
