"""The session that does nothing but end its number's login at Telegram."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from session_worker.protocol.contract import SessionState, Trouble, TroubleCode
from session_worker.protocol.login import LoginFailed, LoginMoved, LoginStage, LogOut
from session_worker.session import SessionEnded
from session_worker.telegram.errors import TelegramError
from session_worker.telegram.login.login import log_out
from session_worker.telegram.login.outcome import failure_of

if TYPE_CHECKING:
    from session_worker.protocol.contract import Assignment, Command
    from session_worker.session import Outbox, WritePermit

logger = logging.getLogger(__name__)


class SignOut:
    """Logs out when the command arrives."""

    last_heard: float | None = None
    queue_depth = 0

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: WritePermit) -> None:
        self._assignment = assignment
        self._outbox = outbox
        self._lease = lease
        self._asked: asyncio.Queue[LogOut | None] = asyncio.Queue()

    async def run(self) -> None:
        command = await self._asked.get()
        if command is None:
            return
        self._outbox.put(await self._log_out(command))
        raise SessionEnded(SessionState.NEEDS_LOGIN, Trouble(code=TroubleCode.NO_SESSION))

    async def stop(self) -> None:
        self._asked.put_nowait(None)

    async def handle(self, command: Command) -> None:
        if isinstance(command, LogOut):
            self._asked.put_nowait(command)
        else:
            logger.warning("the session has no use for the command %s", command.kind)

    async def _log_out(self, command: LogOut) -> LoginMoved | LoginFailed:
        try:
            await log_out(self._assignment, self._lease)
        except TelegramError as error:
            logger.warning("the number could not be logged out: %s", error)
            failure = failure_of(error)
            return LoginFailed(request_id=command.request_id, failure=failure, detail=str(error))
        return LoginMoved(request_id=command.request_id, stage=LoginStage.LOGGED_OUT)
