"""Starts bots whose tokens are settings, together with the gateway."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from api.bots.models import NewBot
from supervisor.errors import GatewayError, LoginError, NumberExists, StandingBy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.gateway import Gateway

CLIENT = "gateway"
"""The client to whom the bot of TELEGRAM_BOT_TOKEN belongs."""

PAUSE = 2.0  # seconds, while the gateway stands by or Telegram cannot be reached

logger = logging.getLogger(__name__)


@asynccontextmanager
async def start_bot(
    token: str, client: str, language: str, gateway: Gateway
) -> AsyncIterator[None]:
    """Start a bot in the background, however long that takes; without a token there is none."""
    if not token:
        yield
        return
    starting = asyncio.create_task(_start(token, client, language, gateway), name="own bot")
    try:
        yield
    finally:
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting


async def _start(token: str, client: str, language: str, gateway: Gateway) -> None:
    new = NewBot(name=client, token=token).as_value(language)
    while True:
        try:
            gateway.require_active()
            found = await gateway.bots.find_by_token(token)
            if found is None:
                await gateway.bots.create(new, "gateway")
        except NumberExists:
            logger.info("the bot of %s runs already, with another token", client)
        except LoginError as exc:
            logger.error("the bot of %s cannot be started: %s", client, exc)  # noqa: TRY400 - no bug of ours
        except GatewayError as exc:
            level = logging.DEBUG if isinstance(exc, StandingBy) else logging.WARNING
            logger.log(level, "the bot of %s is not started yet: %s", client, exc)
            await asyncio.sleep(PAUSE)
            continue
        return
