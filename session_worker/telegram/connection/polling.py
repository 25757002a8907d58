"""Polls a connection to find out what silence hides."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from session_worker.protocol.contract import SessionState
from session_worker.telegram.connection.timing import (
    DeafnessCheck,
    clock_trouble,
    pause_before_poll,
)
from session_worker.telegram.errors import (
    Deaf,
    FloodWait,
    Refused,
    TemporarilyFailed,
    Undecodable,
)

if TYPE_CHECKING:
    from session_worker.telegram.connection.announcements import Announcements
    from session_worker.telegram.connection.connection import Connection
    from session_worker.telegram.connection.timing import ConnectionTiming
    from session_worker.telegram.connection.updates import Inbox

logger = logging.getLogger(__name__)

MOST_UNPROVEN = 3  # consecutive polls that were answered only by errors


class Polling:
    """Asks at intervals whether connection, session and updates still work."""

    def __init__(
        self,
        connection: Connection,
        inbox: Inbox,
        announcements: Announcements,
        timing: ConnectionTiming,
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._announcements = announcements
        self._timing = timing
        self._deafness_check = DeafnessCheck()
        self._unproven = 0

    async def run(self) -> None:
        """Poll until the connection is lost or must be given up; always ends with a TelegramError."""
        while True:
            await self._connection.until_lost(pause_before_poll(self._unproven, self._timing))
            await self._poll()

    async def _poll(self) -> None:
        try:
            state = await self._connection.state()
        except (FloodWait, TemporarilyFailed, Refused) as error:
            logger.info("the poll was answered with an error: %s", error)
            await self._look_for_other_proof()
            return
        self._unproven = 0
        missed = await self._is_behind(state.pts)
        if missed:
            await self._connection.catch_up()
        if self._deafness_check.is_deaf_after(self._connection.pushes, missed):
            raise Deaf(f"updates up to {state.pts} arrived only when asked for")
        if self._connection.pushes or not missed:
            self._announcements.clear_deafness()
        self._announcements.announce(
            SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC))
        )

    async def _look_for_other_proof(self) -> None:
        """Look for another proof that the session works; an error as an answer is no proof."""
        try:
            await self._connection.me()
        except Undecodable:
            pass  # only a logged-in client is told who it is
        except (FloodWait, TemporarilyFailed, Refused) as error:
            self._unproven += 1
            logger.info("nothing proves that the session still works: %s", error)
            if self._unproven >= MOST_UNPROVEN:
                raise
            return
        self._unproven = 0

    async def _is_behind(self, pts: int) -> bool:
        """Whether Telegram has had updates for us for longer than a moment."""
        connection = self._connection
        if connection.update_state.pts >= pts:
            return False
        await connection.until_lost(self._timing.push_grace)
        # Updates that only wait to be processed are not missed.
        return (
            connection.update_state.pts < pts and not connection.backlog and not self._inbox.is_full
        )
