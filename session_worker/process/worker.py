"""Runs one session: receives commands, answers beats and reports events."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from session_worker.process.log import LogSender
from session_worker.protocol.contract import (
    COMMANDS,
    Assignment,
    Beat,
    Command,
    Event,
    ExitCode,
    Pulse,
    SessionChanged,
)
from session_worker.protocol.pipe import Pipe, PipeBroken, PipeClosed
from session_worker.session import ConnectionLeftOpen, SessionEnded, SessionGained

if TYPE_CHECKING:
    import socket

    from session_worker.process.lease import Lease
    from session_worker.process.log import RecentLines
    from session_worker.session import Outbox, Session, SessionFactory


LAG_INTERVAL = 1.0  # seconds between two measurements of how late the event loop is
STOP_GRACE = 4.0  # seconds for the session to disconnect
FLUSH_GRACE = 1.0  # seconds for the last events to be read
MEMORY_INTERVAL = 15.0  # seconds between two measurements, a millisecond each

logger = logging.getLogger(__name__)


class BootFailed(Exception):
    """The session could not even be made, and another try would not change that."""


class SessionLeft(Exception):
    """The session ended without giving a reason."""


async def run(
    assignment: Assignment,
    end: socket.socket,
    lease: Lease,
    gauge: MemoryGauge,
    recent: RecentLines,
) -> ExitCode:
    """Run the worker to its end; raises BootFailed if there is no session to run."""
    pipe: Pipe[Command, Event] = await Pipe.open(end, COMMANDS)
    log = LogSender(pipe, recent)
    try:
        outbox = SupervisorOutbox(pipe)
        session = make_session(assignment, outbox, lease)
        return await Worker(session, pipe, outbox, lease, gauge).run()
    except BootFailed:
        raise
    except Exception:  # the root of the worker
        # Logged while the gateway still listens, because people look for this line.
        logger.exception("the worker crashed")
        return ExitCode.CRASHED
    finally:
        log.end()
        await _flush(pipe)


async def _flush(pipe: Pipe[Command, Event]) -> None:
    try:
        async with asyncio.timeout(FLUSH_GRACE):
            await pipe.flush()
    except (PipeClosed, TimeoutError):
        logger.warning("the last events could not be sent")


def make_session(assignment: Assignment, outbox: Outbox, lease: Lease) -> Session:
    factory = find_factory(assignment)
    try:
        return factory(assignment, outbox, lease)
    except Exception as exc:
        raise BootFailed(f"{assignment.session_factory} could not make a session") from exc


def find_factory(assignment: Assignment) -> SessionFactory:
    """Import the callable that makes the session."""
    module, _, name = assignment.session_factory.partition(":")
    try:
        factory: SessionFactory = getattr(importlib.import_module(module), name)
    except Exception as exc:
        raise BootFailed(f"{assignment.session_factory} cannot be imported") from exc
    return factory


class Worker:
    """Runs one session for as long as the supervisor wants it."""

    def __init__(
        self,
        session: Session,
        pipe: Pipe[Command, Event],
        outbox: Outbox,
        lease: Lease,
        gauge: MemoryGauge,
    ) -> None:
        self._session = session
        self._pipe = pipe
        self._outbox = outbox
        self._lease = lease
        self._gauge = gauge
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self._stop_asked = asyncio.Event()
        self._session_over = asyncio.Event()
        self._lag = 0.0
        self._memory = MemoryUse()
        self._memory_due = 0.0

    async def run(self) -> ExitCode:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop_asked.set)
        async with asyncio.TaskGroup() as group:
            side_tasks = [
                group.create_task(self._receive_commands(), name="pipe"),
                group.create_task(self._handle_commands(), name="commands"),
                group.create_task(self._watch_lag(), name="lag"),
                group.create_task(self._stop_when_asked(), name="stop"),
            ]
            code = await self._run_session()
            self._session_over.set()
            for task in side_tasks:
                task.cancel()
        return code

    async def _run_session(self) -> ExitCode:
        try:
            await self._session.run()
        except SessionEnded as ended:
            await self._outbox.report(SessionChanged(state=ended.state, trouble=ended.trouble))
            return ExitCode.NEEDS_LOGIN
        except SessionGained:
            return ExitCode.LOGGED_IN
        except ConnectionLeftOpen:
            return ExitCode.CONNECTION_LEFT_OPEN
        if not self._stop_asked.is_set():
            raise SessionLeft("the session returned without being asked to stop")
        return ExitCode.OK

    async def _stop_when_asked(self) -> None:
        await self._stop_asked.wait()
        async with asyncio.timeout(STOP_GRACE):
            await self._session.stop()
            await self._session_over.wait()

    async def _receive_commands(self) -> None:
        """Receive commands until the pipe ends, which is the order to stop.

        Beats are answered at once, because the session may have to wait for a disk before it
        handles a command.
        """
        while (command := await self._pipe.receive()) is not None:
            match command:
                case Beat():
                    self._lease.renew(command.deadline)
                    self._outbox.put(self._make_pulse(command.beat_id))
                case Assignment():
                    raise PipeBroken("a second assignment arrived")
                case _:
                    self._commands.put_nowait(command)
        self._stop_asked.set()

    async def _handle_commands(self) -> None:
        while True:
            await self._session.handle(await self._commands.get())

    def _make_pulse(self, beat_id: int) -> Pulse:
        lag, self._lag = self._lag, 0.0
        memory = self._measure_memory()
        return Pulse(
            beat_id=beat_id,
            loop_lag=lag,
            last_heard=self._session.last_heard,
            queue_depth=self._session.queue_depth,
            memory=memory.used,
            private=memory.private,
            merged=memory.merged,
        )

    def _measure_memory(self) -> MemoryUse:
        if time.monotonic() >= self._memory_due:
            self._memory = self._gauge.read()
            self._memory_due = time.monotonic() + MEMORY_INTERVAL
        return self._memory

    async def _watch_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_INTERVAL
            await asyncio.sleep(LAG_INTERVAL)
            self._lag = max(self._lag, loop.time() - due)


class SupervisorOutbox:
    """Sends events; if nobody can receive them, it ends the process before anything else is done.

    The next worker repeats whatever could not be reported.
    """

    def __init__(self, pipe: Pipe[Command, Event]) -> None:
        self._pipe = pipe

    def put(self, event: Event) -> None:
        try:
            self._pipe.put(event)
        except PipeClosed as exc:
            _exit(exc)

    async def report(self, event: Event) -> None:
        try:
            await self._pipe.report(event)
        except PipeClosed as exc:
            _exit(exc)


def _exit(reason: PipeClosed) -> NoReturn:
    logger.warning("the worker ends: %s", reason)
    logging.shutdown()
    os._exit(ExitCode.PARENT_GONE)


PLACE = "/proc/self/smaps_rollup"
LARGEST = 4096  # bytes


class MemoryUse(NamedTuple):
    """Bytes: those in use with our share of shared pages, those of our own pages, and those merged."""

    used: int = 0
    private: int | None = None
    merged: int | None = None


class MemoryGauge:
    """Measures the memory of this process; it is opened before confinement and stays readable."""

    def __init__(self) -> None:
        self._descriptor = os.open(PLACE, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> MemoryUse:
        lines = os.pread(self._descriptor, LARGEST, 0).splitlines()[1:]
        bytes_of = {line.split()[0]: int(line.split()[1]) * 1024 for line in lines}
        private = bytes_of.get(b"Private_Clean:", 0) + bytes_of.get(b"Private_Dirty:", 0)
        return MemoryUse(bytes_of.get(b"Pss:", 0), private, bytes_of.get(b"KSM:"))

    def close(self) -> None:
        os.close(self._descriptor)
