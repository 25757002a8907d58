"""One run of a worker: beats go down and events come up, bounded while they wait, until the worker is reaped."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.process.lease import now
from supervisor.processes.liveness import Silence, read_usage
from supervisor.processes.worker_exit import WorkerExit, read_exit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from session_worker.protocol.contract import Event
    from supervisor.config import Timing
    from supervisor.processes.ageing import Ageing
    from supervisor.processes.liveness import Usage
    from supervisor.processes.worker_process import WorkerProcess


LOOKS = 2  # for each beat, at a worker that owes an answer
LAST_EVENTS = 5.0  # seconds to store the events that a worker sent before it ended
TURNS = 100  # of the event loop, to read the events that a worker has sent

logger = logging.getLogger(__name__)


class WorkerRun:
    """Sends beats and passes events on while the worker lives; kills it if it hangs."""

    def __init__(  # noqa: PLR0913 - what it asks of others, each apart
        self,
        worker: WorkerProcess,
        timing: Timing,
        handle: Callable[[list[Event]], Awaitable[None]],
        *,
        record_unanswered: Callable[[int], None] = lambda _: None,
        may_kill: Callable[[], bool] = lambda: True,
        is_login: bool = False,
        ageing: Ageing | None = None,
    ) -> None:
        """Tell `record_unanswered` of beats without an answer; kill a worker only if `may_kill` agrees."""
        self._worker = worker
        self._timing = timing
        self._handle = handle
        self._record_unanswered = record_unanswered
        self._may_kill = may_kill
        self._silence: Silence | None = None
        self._when_asked: Usage | None = None
        self._frames_when_asked = 0
        self._is_stalled = False
        self._is_login = is_login
        self._ageing = ageing
        self._is_too_old = False

    async def run(self) -> WorkerExit:
        """Return why the worker ended; when cancelled, end the worker in order first."""
        reading = asyncio.create_task(self._read())
        beating = asyncio.create_task(self._beat())
        ending = asyncio.create_task(self._worker.wait_gone())
        try:
            await asyncio.wait({reading, beating, ending}, return_when=asyncio.FIRST_COMPLETED)
            silent = beating.done() and not self._is_too_old
            lease_over = self._worker.lease_over
            if silent:
                await self._worker.abort()
        finally:
            beating.cancel()
            closing = asyncio.create_task(self._close(reading))
            await _reach_end(closing)
            code = closing.result()
        if silent:
            beating.result()
        if not reading.cancelled():
            reading.result()
        if self._worker.breach is not None:
            return WorkerExit.BOUNDS_BROKEN
        if silent:
            return WorkerExit.UNRESPONSIVE
        if self._is_too_old:
            return WorkerExit.REPLACED
        return read_exit(code, lease_over=lease_over, is_login=self._is_login)

    async def _close(self, reading: asyncio.Task[None]) -> int | None:
        """Return the exit code once the process and its pipe are gone."""
        await self._worker.stop()
        code = await self._worker.reap()
        await asyncio.wait({reading}, timeout=LAST_EVENTS)
        reading.cancel()
        self._worker.close()
        return code

    async def _read(self) -> None:
        async for events in self._worker.events():
            await self._handle(events)

    async def _beat(self) -> None:
        """Send beats until the worker hangs or is too old."""
        while not self._grows_too_old():
            if self._silence is None:
                self._when_asked = read_usage(self._worker.pid)
                self._frames_when_asked = self._worker.frames
            self._worker.beat()
            if await self._hangs_meanwhile():
                logger.error("worker %d hangs: %s", self._worker.pid, read_usage(self._worker.pid))
                return
        self._is_too_old = True

    async def _hangs_meanwhile(self) -> bool:
        """Wait until the next beat is due, and look more often at a worker that is silent."""
        looks = 1 if self._silence is None else LOOKS
        for _ in range(looks):
            looked, pause = now(), self._timing.beat / looks
            await asyncio.sleep(pause)
            if await self._hangs(now() - looked, 1.5 * pause):
                return True
        return False

    def _grows_too_old(self) -> bool:
        if self._ageing is None or (pulse := self._worker.pulse) is None:
            return False
        uptime = time.time() - self._worker.started
        if not self._ageing.is_over(uptime, pulse.memory, now()):
            return False
        logger.info("worker %d is replaced: %s", self._worker.pid, self._ageing.age.reason)
        return True

    async def _hangs(self, waited: float, most: float) -> bool:
        # If we were late ourselves, its answer may already be in the pipe: read that first.
        for _ in range(TURNS):
            if not self._worker.has_unread:
                break
            await asyncio.sleep(0)
        unanswered = self._worker.unanswered
        was_stalled, self._is_stalled = self._is_stalled, unanswered >= self._timing.stalled_after
        self._record_unanswered(unanswered)
        if not unanswered:
            self._silence = None
            return False
        self._silence = (self._silence or Silence(self._when_asked)).longer(waited, most)
        # It is judged a beat after it was noted: by then we know how many others are silent too.
        return was_stalled and self._is_hang(self._silence) and self._may_kill()

    def _is_hang(self, silence: Silence) -> bool:
        patience = self._timing.patience
        # Like a start, a login computes for a long time without a pause.
        if self._worker.pulse is None or self._is_login:
            patience = patience.of_boot()
        return silence.is_hang(
            read_usage(self._worker.pid),
            patience,
            reports_nothing=self._worker.frames == self._frames_when_asked,
        )


async def _reach_end(task: asyncio.Task[int | None]) -> None:
    """Let a task end before our own cancellation continues.

    If it were cut short, a worker would be left that nobody beats, reaps or waits for.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


@dataclass(frozen=True, slots=True)
class Limits:
    """How many events of one worker are kept in memory, and how many of them are stored together."""

    events: int = 1000
    weight: int = 2 * 1024 * 1024  # bytes of frames; parsed events take several times as much
    events_at_once: int = 200
    weight_at_once: int = 128 * 1024


class EventQueue:
    """Returns events in batches; a batch counts as unstored until the next one is asked for.

    While the queue is full, `put` waits: the worker's pipe is then not read, so the worker has to
    wait too. A single event always fits, so that every event gets through.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._waiting: deque[tuple[Event, int]] = deque()
        self.weight = 0
        """Bytes of the frames that are not stored yet."""
        self._is_over = False
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many events wait to be stored."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        limits = self._limits
        return len(self._waiting) >= limits.events or self.weight >= limits.weight

    async def put(self, event: Event, weight: int) -> None:
        while self.is_full:
            await self._change()
        self._waiting.append((event, weight))
        self.weight += weight
        self._changed.set()

    def finish(self) -> None:
        """Announce that no event will follow."""
        self._is_over = True
        self._changed.set()

    async def batches(self) -> AsyncIterator[list[Event]]:
        """Return the events that have come so far, in order, until no event will follow."""
        while True:
            while not self._waiting and not self._is_over:
                await self._change()
            if not self._waiting:
                return
            batch, weight = self._pop_batch()
            yield batch
            self.weight -= weight
            self._changed.set()

    def _pop_batch(self) -> tuple[list[Event], int]:
        limits = self._limits
        event, weight = self._waiting.popleft()
        batch = [event]
        while self._waiting and len(batch) < limits.events_at_once:
            event, more = self._waiting[0]
            if weight + more > limits.weight_at_once:
                break
            self._waiting.popleft()
            batch.append(event)
            weight += more
        return batch, weight

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
