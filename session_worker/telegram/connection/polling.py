"""The poll of a line: finds out what silence hides."""

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

log = logging.getLogger(__name__)

MOST_UNPROVEN = 3  # polls in a row that were answered by nothing but errors


class Polling:
    """Asks now and then whether the line, the session and the updates are well."""

    def __init__(
        self, line: Connection, inbox: Inbox, says: Announcements, timing: ConnectionTiming
    ) -> None:
        self._line = line
        self._inbox = inbox
        self._says = says
        self._timing = timing
        self._hearing = DeafnessCheck()
        self._unproven = 0

    async def run(self) -> None:
        """Poll until the line is cut or must be given up, which is always a TelegramError."""
        while True:
            await self._line.until_cut(pause_before_poll(self._unproven, self._timing))
            await self._poll()

    async def _poll(self) -> None:
        try:
            state = await self._line.state()
        except (FloodWait, TemporarilyFailed, Refused) as error:
            log.info("poll not answered as asked: %s", error)
            await self._ask_otherwise()
            return
        self._unproven = 0
        missed = await self._is_behind(state.pts)
        if missed:
            await self._line.catch_up()
        if self._hearing.is_deaf_after(self._line.pushes, missed):
            raise Deaf(f"updates up to {state.pts} came only when asked for")
        if self._line.pushes or not missed:
            self._says.hears()
        self._says.say(SessionState.ONLINE, clock_trouble(state.date, datetime.now(UTC)))

    async def _ask_otherwise(self) -> None:
        """Look for another proof of life than the poll; an error that is answered is none."""
        try:
            await self._line.me()
        except Undecodable:
            pass  # nobody but who is logged in is told who they are
        except (FloodWait, TemporarilyFailed, Refused) as error:
            self._unproven += 1
            log.info("nothing proves that the session lives: %s", error)
            if self._unproven >= MOST_UNPROVEN:
                raise
            return
        self._unproven = 0

    async def _is_behind(self, pts: int) -> bool:
        """Whether Telegram has had something for us for longer than a moment."""
        line = self._line
        if line.place.pts >= pts:
            return False
        await line.until_cut(self._timing.settle)
        # Updates that only wait for their turn are not missed.
        return line.place.pts < pts and not line.backlog and not self._inbox.is_full
