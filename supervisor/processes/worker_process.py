"""One worker as its keeper sees it: a process, a pipe, an end."""

from __future__ import annotations

import asyncio
import logging
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
from supervisor.processes.event_queue import EventQueue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.config import Timing
    from supervisor.processes.forkserver import Child, Forkserver

IN_A_ROW = 64  # events that are read before others get their turn
IN_ORDER = frozenset({ExitCode.OK, ExitCode.BOOT_FAILED, ExitCode.NEEDS_LOGIN, ExitCode.LOGGED_IN})

logger = logging.getLogger(__name__)


class WorkerProcess:
    """Starts, beats, hears, ends one worker; nobody else touches its process."""

    def __init__(
        self, forkserver: Forkserver, child: Child, pipe: Pipe[Event, Command], timing: Timing
    ) -> None:
        self._forkserver = forkserver
        self._child = child
        self._pipe = pipe
        self._timing = timing
        self._events = EventQueue()
        self._gone = asyncio.Event()
        self._beats = 0
        self._deadline = 0.0
        self._exit_code: int | None = None
        self.started = time.time()
        self.pulse: Pulse | None = None
        self.breach: str | None = None
        asyncio.get_running_loop().add_reader(child.descriptor, self._notice_death)
        self._hearing = asyncio.create_task(self._hear(), name=f"hearing {child.pid}")

    @classmethod
    async def start(cls, forkserver: Forkserver, assignment: Assignment, timing: Timing) -> Self:
        """Fork a worker, give it its lease along with all it has to know."""
        child = await forkserver.fork()
        try:
            pipe: Pipe[Event, Command] = await Pipe.open(child.end, EVENTS, MAX_EVENT)
        except BaseException:
            await forkserver.discard(child)
            raise
        worker = cls(forkserver, child, pipe, timing)
        worker.tell(assignment.model_copy(update={"deadline": worker._extend_lease()}))
        return worker

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def has_unread(self) -> bool:
        """Whether it has said something that has not been read yet."""
        return not self._hearing.done() and not self._events.is_full and self._pipe.has_unread

    @property
    def lease_over(self) -> bool:
        """Whether it went so long without a beat that the kernel has ended it."""
        return now() >= self._deadline

    @property
    def left_in_order(self) -> bool:
        """Whether it closed its line before it was gone, known once it is reaped."""
        return self._exit_code in IN_ORDER

    @property
    def unanswered(self) -> int:
        """How many beats have brought no pulse, as far as we have read."""
        if self._events.is_full:
            return 0  # we do not listen, so its silence means nothing
        return self._beats - (self.pulse.beat_id if self.pulse else 0)

    def beat(self) -> None:
        """Renew the lease, ask for a pulse; what is over already can't be renewed."""
        if self.lease_over:
            return
        self._beats += 1
        self.tell(Beat(beat_id=self._beats, deadline=self._extend_lease()))

    def tell(self, command: Command) -> None:
        """Hand a command over; a worker that is gone by now does not miss it."""
        try:
            self._pipe.put(command)
        except PipeClosed as exc:
            logger.debug("worker %d takes no %s: %s", self.pid, command.kind, exc)

    def events(self) -> AsyncIterator[list[Event]]:
        """Give what the worker has said by now, in order, until it has nothing more to say."""
        return self._events.batches()

    async def wait_gone(self) -> None:
        await self._gone.wait()

    async def stop(self) -> None:
        """Let it end by itself, insist more with each step."""
        if self._gone.is_set():
            return
        logger.info("worker %d is asked to leave", self.pid)
        self._pipe.finish()
        if await self._goes_within(self._timing.leave):
            return
        await self._press(signal.SIGTERM, self._timing.terminate)
        await self.abort()

    async def abort(self) -> None:
        """End it now, its stacks go to the log if it still can write them."""
        await self._press(signal.SIGABRT, self._timing.dump)
        await self._press(signal.SIGKILL, None)

    async def reap(self) -> int | None:
        """Tell the exit code of a worker that is gone; after this another may start."""
        await self._gone.wait()
        self._exit_code = await self._forkserver.reap(self._child)
        return self._exit_code

    def close(self) -> None:
        """Let go of the pipe, with what nobody wants to read any more."""
        self._hearing.cancel()
        self._pipe.close()

    async def _press(self, number: signal.Signals, patience: float | None) -> None:
        if self._gone.is_set():
            return
        logger.warning("worker %d gets %s", self.pid, number.name)
        self._child.signal(number)
        await self._goes_within(patience)

    async def _goes_within(self, patience: float | None) -> bool:
        try:
            async with asyncio.timeout(patience):
                await self._gone.wait()
        except TimeoutError:
            return False
        return True

    async def _hear(self) -> None:
        try:
            await self._read()
        except PipeBroken as exc:
            logger.exception("worker %d speaks nonsense, so it is killed", self.pid)
            if isinstance(exc, BoundsBroken):
                self.breach = str(exc)
            self._child.signal(signal.SIGKILL)
        finally:
            self._events.finish()

    async def _read(self) -> None:
        read = 0
        while (frame := await self._pipe.receive_frame()) is not None:
            event = decode(frame, EVENTS)
            if isinstance(event, Pulse):
                self._feel(event)
            else:
                await self._events.put(event, len(frame))
            read += 1
            if read % IN_A_ROW == 0:
                await asyncio.sleep(0)  # what is in the buffer already is had without waiting

    def _feel(self, pulse: Pulse) -> None:
        """Take the answer to a beat; each has one, and none comes before it."""
        felt = self.pulse.beat_id if self.pulse else 0
        if not felt < pulse.beat_id <= self._beats:
            raise BoundsBroken("a pulse that nobody asked for")
        self.pulse = pulse

    def _notice_death(self) -> None:
        asyncio.get_running_loop().remove_reader(self._child.descriptor)
        self._gone.set()

    def _extend_lease(self) -> float:
        self._deadline = now() + self._timing.lease
        return self._deadline
