"""What people say about themselves in their profiles."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from telethon.tl import functions

from session_worker.telegram.errors import FloodWait, TelegramError
from session_worker.telegram.reading.formatting import plain

if TYPE_CHECKING:
    from session_worker.telegram.reading.people import Ask

logger = logging.getLogger(__name__)

LIMIT = 3.0  # seconds; the first message of a chat waits no longer for the bio of its author
SILENCE = 60.0  # seconds, if Telegram wants a pause without saying how long
LONGEST = 300  # characters; Telegram allows 140
MOST_KEPT = 2000  # people


class Profiles:
    """Asks for each person's bio once, and makes no message wait long for it."""

    def __init__(self, ask: Ask, limit: float = LIMIT) -> None:
        self._ask = ask
        self._limit = limit
        self._known: OrderedDict[int, str] = OrderedDict()
        self._quiet_until = 0.0

    async def bio(self, user_id: int) -> str:
        """Return the bio, or nothing if there is none, it is hidden or it takes too long."""
        if user_id not in self._known:
            self._known[user_id] = await self._look(user_id)
            if len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return self._known[user_id]

    async def _look(self, user_id: int) -> str:
        if time.monotonic() < self._quiet_until:
            return ""
        try:
            async with asyncio.timeout(self._limit):
                found = await self._ask(functions.users.GetFullUserRequest(user_id))
        except FloodWait as wait:
            self._quiet_until = time.monotonic() + (wait.seconds or SILENCE)
        except (TelegramError, TimeoutError) as error:
            logger.info(
                "the bio of %s could not be fetched: %s %s", user_id, type(error).__name__, error
            )
        else:
            return plain(found.full_user.about or "")[:LONGEST].strip()
        return ""
