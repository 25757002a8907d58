"""One worker's time, from its first beat until it is reaped."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from supervisor.ending import Ending, read_exit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from session_worker.contract import Event
    from supervisor.timing import Timing
    from supervisor.worker_process import WorkerProcess

LAST_WORDS = 5.0  # seconds to store what a worker said before it was gone

logger = logging.getLogger(__name__)


class Shift:
    """Beats and listens to a worker as long as it lives; ends it when it must not."""

    def __init__(
        self,
        worker: WorkerProcess,
        timing: Timing,
        hear: Callable[[list[Event]], Awaitable[None]],
        *,
        is_login: bool = False,
    ) -> None:
        self._worker = worker
        self._timing = timing
        self._hear = hear
        self._is_login = is_login

    async def serve(self) -> Ending:
        """Return why the worker ended; cancelled, end it in order first."""
        listening = asyncio.create_task(self._listen())
        beating = asyncio.create_task(self._beat())
        going = asyncio.create_task(self._worker.wait_gone())
        try:
            await asyncio.wait({listening, beating, going}, return_when=asyncio.FIRST_COMPLETED)
            silent, lease_over = beating.done(), self._worker.lease_over
            if silent:
                await self._worker.abort()
        finally:
            beating.cancel()
            parting = asyncio.create_task(self._part(listening))
            await _reach_end(parting)
            code = parting.result()
        if not listening.cancelled():
            listening.result()
        if self._worker.breach is not None:
            return Ending.BOUNDS_BROKEN
        if silent:
            return Ending.UNRESPONSIVE
        return read_exit(code, lease_over=lease_over, is_login=self._is_login)

    async def _part(self, listening: asyncio.Task[None]) -> int | None:
        """Return the exit code once nothing of the worker is left."""
        await self._worker.stop()
        code = await self._worker.reap()
        await asyncio.wait({listening}, timeout=LAST_WORDS)
        listening.cancel()
        self._worker.close()
        return code

    async def _listen(self) -> None:
        async for events in self._worker.events():
            await self._hear(events)

    async def _beat(self) -> None:
        while self._worker.unanswered < self._timing.missed_beats:
            self._worker.beat()
            await asyncio.sleep(self._timing.beat)
        logger.error("worker %d does not answer", self._worker.pid)


async def _reach_end(task: asyncio.Task[int | None]) -> None:
    """Let a task end before our own cancellation goes on.

    Cut short, the parting would leave a worker that nobody beats, reaps or waits for.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
