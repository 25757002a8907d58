"""One worker as its keeper sees it: a process, its pipe, its lease and its exit code."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import time
from typing import TYPE_CHECKING, Self

from session_worker.process.lease import now
from session_worker.protocol.contract import (
    EVENTS,
    Assignment,
    Beat,
    Command,
    Event,
    ExitCode,
    Logged,
    Pulse,
)
from session_worker.protocol.pipe import (
    MAX_EVENT,
    BoundsBroken,
    Pipe,
    PipeBroken,
    PipeClosed,
    decode,
)
from supervisor.processes.worker_log import WorkerLog
from supervisor.processes.worker_run import EventQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from supervisor.config import Timing
    from supervisor.processes.forkserver import Child, Forkserver

READ_IN_A_ROW = 16  # events; after these, other tasks get their turn
IN_ORDER = frozenset({ExitCode.OK, ExitCode.BOOT_FAILED, ExitCode.NEEDS_LOGIN, ExitCode.LOGGED_IN})

logger = logging.getLogger(__name__)


FLOODED = 200  # events and messages that wait; above this, others go first
CALM = 20  # down to this, others still go first


def is_flooded(waiting: int, *, was_flooded: bool) -> bool:
    """Whether a worker has so much to do that others go first, until only little of it is left."""
    return waiting > (CALM if was_flooded else FLOODED)


class WorkerProcess:
    """Starts, beats, reads and ends one worker; nothing else touches its process."""

    def __init__(
        self,
        forkserver: Forkserver,
        child: Child,
        pipe: Pipe[Event, Command],
        timing: Timing,
        limit: Callable[[], float],
        log: WorkerLog,
    ) -> None:
        self._forkserver = forkserver
        self._child = child
        self._pipe = pipe
        self._timing = timing
        self._limit = limit
        self._log = log
        self._events = EventQueue()
        self._gone = asyncio.Event()
        self._beats = 0
        self._is_flooded = False
        self._deadline = 0.0
        self._exit_code: int | None = None
        self.started = time.time()
        self.pulse: Pulse | None = None
        self.breach: str | None = None
        self.frames = 0
        """How many it has sent so far."""
        asyncio.get_running_loop().add_reader(child.descriptor, self._notice_death)
        self._reading = asyncio.create_task(self._read(), name=f"reading {child.pid}")

    @classmethod
    async def start(
        cls,
        forkserver: Forkserver,
        assignment: Assignment,
        timing: Timing,
        limit: Callable[[], float] = lambda: math.inf,
        log: WorkerLog | None = None,
    ) -> Self:
        """Fork a worker, and send it its assignment and its lease, which never exceeds a limit."""
        child = await forkserver.fork()
        try:
            pipe: Pipe[Event, Command] = await Pipe.open(child.end, EVENTS, MAX_EVENT)
        except BaseException:  # cancelled or failed: the child must not outlive this attempt
            await forkserver.discard(child)
            raise
        worker = cls(forkserver, child, pipe, timing, limit, log or WorkerLog())
        worker.send(assignment.model_copy(update={"deadline": worker._extend_lease()}))
        return worker

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def has_unread(self) -> bool:
        """Whether it has sent something that has not been read yet."""
        return not self._reading.done() and not self._events.is_full and self._pipe.has_unread

    @property
    def lease_over(self) -> bool:
        """Whether it has had no beat for so long that the kernel has ended it."""
        return now() >= self._deadline

    @property
    def ended_in_order(self) -> bool:
        """Whether it closed its connection before it ended; this is known once it is reaped."""
        return self._exit_code in IN_ORDER

    @property
    def unanswered(self) -> int:
        """How many beats it has not answered, as far as we have read."""
        if self._events.is_full:
            return 0  # we are not reading, so its silence means nothing
        return self._beats - (self.pulse.beat_id if self.pulse else 0)

    def beat(self) -> None:
        """Renew the lease and ask for a pulse, unless the lease has already ended."""
        if self.lease_over:
            return
        self._beats += 1
        self._set_priority()
        self.send(Beat(beat_id=self._beats, deadline=self._extend_lease()))

    def send(self, command: Command) -> None:
        """Send a command, unless the worker has ended."""
        try:
            self._pipe.put(command)
        except PipeClosed as exc:
            logger.debug("worker %d does not take a %s: %s", self.pid, command.kind, exc)

    def events(self) -> AsyncIterator[list[Event]]:
        """Return the events in batches and in order, until the worker closes its pipe."""
        return self._events.batches()

    async def wait_gone(self) -> None:
        await self._gone.wait()

    async def stop(self) -> None:
        """Let it end by itself, then by a signal, then by force."""
        if self._gone.is_set():
            return
        logger.info("worker %d is asked to end", self.pid)
        self._pipe.finish()
        if await self._ends_within(self._timing.leave):
            return
        await self._signal(signal.SIGTERM, patience=self._timing.terminate)
        await self.abort()

    async def abort(self) -> None:
        """End it now; it writes its stacks to the log if it still can."""
        # A stopped process gets what was sent to it as soon as it is continued, before it runs on.
        await self._signal(signal.SIGABRT, signal.SIGCONT, patience=self._timing.dump)
        await self._signal(signal.SIGKILL, patience=None)

    async def reap(self) -> int | None:
        """Return the exit code once the worker has ended; after this another one may start."""
        await self._gone.wait()
        self._exit_code = await self._forkserver.reap(self._child)
        return self._exit_code

    def close(self) -> None:
        """Close the pipe and drop anything in it that was not read."""
        self._reading.cancel()
        self._pipe.close()

    def _set_priority(self) -> None:
        """Keep a flooded worker from taking the processor away from the others."""
        waiting = self._events.waiting + (self.pulse.queue_depth if self.pulse else 0)
        flooded = is_flooded(waiting, was_flooded=self._is_flooded)
        if flooded != self._is_flooded:
            self._is_flooded = flooded
            self._child.schedule(behind_others=flooded)

    async def _signal(self, *signals: signal.Signals, patience: float | None) -> None:
        if self._gone.is_set():
            return
        logger.warning("worker %d gets %s", self.pid, signals[0].name)
        for each in signals:
            self._child.signal(each)
        await self._ends_within(patience)

    async def _ends_within(self, patience: float | None) -> bool:
        try:
            async with asyncio.timeout(patience):
                await self._gone.wait()
        except TimeoutError:
            return False
        return True

    async def _read(self) -> None:
        try:
            await self._read_frames()
        except PipeBroken as exc:
            logger.exception("worker %d sends frames that make no sense, so it is killed", self.pid)
            if isinstance(exc, BoundsBroken):
                self.breach = str(exc)
            self._child.signal(signal.SIGKILL)
        finally:
            self._events.finish()

    async def _read_frames(self) -> None:
        while (frame := await self._pipe.receive_frame()) is not None:
            event = decode(frame, EVENTS)
            if isinstance(event, Pulse):
                self._record_pulse(event)
            elif isinstance(event, Logged):
                self._log.add(event.lines)  # at once, even while the database is away
            else:
                await self._events.put(event, len(frame))
            self.frames += 1
            if self.frames % READ_IN_A_ROW == 0:
                # Frames that are in the buffer are read without waiting, so nobody else would run.
                await asyncio.sleep(0)

    def _record_pulse(self, pulse: Pulse) -> None:
        """Accept the answer to a beat: one for each beat, and none before it."""
        answered = self.pulse.beat_id if self.pulse else 0
        if not answered < pulse.beat_id <= self._beats:
            raise BoundsBroken("a pulse that was not asked for")
        self.pulse = pulse

    def _notice_death(self) -> None:
        asyncio.get_running_loop().remove_reader(self._child.descriptor)
        self._gone.set()

    def _extend_lease(self) -> float:
        self._deadline = max(self._deadline, min(now() + self._timing.lease, self._limit()))
        return self._deadline
