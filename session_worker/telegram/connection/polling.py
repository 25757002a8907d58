"""Polls a connection to find a lost session, missed updates and a wrong clock, which make no noise."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.protocol.contract import SessionState, Trouble, TroubleCode
from session_worker.telegram.errors import (
    Deaf,
    FloodWait,
    Refused,
    TemporarilyFailed,
    Undecodable,
)

if TYPE_CHECKING:
    from session_worker.telegram.connection.announcements import Announcements
    from session_worker.telegram.connection.connection import Connection, ConnectionTiming
    from session_worker.telegram.connection.updates import Inbox

logger = logging.getLogger(__name__)

MOST_UNPROVEN = 3  # consecutive polls that were answered only by errors


def pause_before_poll(unproven: int, timing: ConnectionTiming) -> float:
    """Return the pause before a poll; after polls that proved nothing, it is short at first and grows."""
    if unproven == 0:
        return timing.poll_interval
    return Backoff(first=timing.push_grace, longest=timing.poll_interval).pause(
        unproven, jitter=1.0
    )


MISSED_BEFORE_DEAF = 2  # a single one may have been only late


@dataclass(slots=True)
class DeafnessCheck:
    """Counts how often updates had to be fetched while none was pushed."""

    _pushes: int = 0
    _missed: int = 0

    def is_deaf_after(self, pushes: int, missed: bool) -> bool:
        """Judge one comparison with Telegram, given the number of pushes on this connection."""
        if pushes != self._pushes:
            self._pushes, self._missed = pushes, 0
        self._missed += missed
        return self._missed >= MISSED_BEFORE_DEAF


# Telegram ignores messages from more than 30 s in the future; half of that leaves time to act.
TOLERANCE = 15.0  # seconds


def clock_trouble(telegram: datetime, here: datetime) -> Trouble | None:
    """Compare the local clock with Telegram's; returns None while the difference is small."""
    ahead = (here - telegram).total_seconds()
    if abs(ahead) <= TOLERANCE:
        return None
    where = "ahead of" if ahead > 0 else "behind"
    return Trouble(
        code=TroubleCode.CLOCK, detail=f"the local clock is {abs(ahead):.0f} s {where} Telegram's"
    )


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
        self._connection.end_pings()
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
