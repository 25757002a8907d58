"""A worker's way up to its supervisor, without which it has no reason to live."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, NoReturn

from session_worker.protocol.contract import ExitCode
from session_worker.protocol.pipe import PipeClosed

if TYPE_CHECKING:
    from session_worker.protocol.contract import Command, Event
    from session_worker.protocol.pipe import Pipe

logger = logging.getLogger(__name__)


class Reporter:
    """Hands events over; with nobody to take them it ends the process before anything else is done.

    Whatever goes on without a supervisor is done again by the next worker.
    """

    def __init__(self, pipe: Pipe[Command, Event]) -> None:
        self._pipe = pipe

    def put(self, event: Event) -> None:
        try:
            self._pipe.put(event)
        except PipeClosed as exc:
            _leave(exc)

    async def report(self, event: Event) -> None:
        try:
            await self._pipe.report(event)
        except PipeClosed as exc:
            _leave(exc)


def _leave(reason: PipeClosed) -> NoReturn:
    logger.warning("leaving: %s", reason)
    logging.shutdown()
    os._exit(ExitCode.PARENT_GONE)
