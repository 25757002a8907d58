"""A trial of a worker in the forkserver, which shows the code that workers run."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import struct
from functools import partial
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from session_worker.number import NumberSession
from session_worker.process import entry
from session_worker.process.code_layout import begin_recording, end_recording
from session_worker.process.warmup import KEY, assignment_to, run_worker, serving, warm_up
from session_worker.protocol.contract import (
    EVENTS,
    Beat,
    ExitCode,
    Pulse,
    SessionChanged,
    SessionState,
)
from session_worker.protocol.pipe import Pipe
from session_worker.telegram.connection.connection import ConnectionTiming
from session_worker.telegram.warmup_server import WarmupServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.process.code_layout import CodeIds
    from session_worker.protocol.contract import Assignment, Command, Event
    from session_worker.session import Outbox, WritePermit

STANDARD_INPUT = 0  # a worker leaves it open and reads nothing from it
NO_PLANFIX = 1  # a port; nobody writes to the worker, so it does not call Planfix
BEATS = 6
BEATING = 0.02  # seconds between two beats
POLLING = 0.01  # seconds between two polls
IDENTITY = struct.Struct("=Q")

logger = logging.getLogger(__name__)


def code_of_rest(end: float) -> CodeIds:
    """Return the code of a worker that is online and has nothing to do but to answer and to poll.

    What it writes again and again can never be merged with what others write.
    """
    found: set[int] = set()
    try:
        asyncio.run(_rest(found.add, end))
    except Exception:  # the root of the trial
        logger.exception("the trial of a resting worker failed")
    return found


async def _rest(report: Callable[[int], None], end: float) -> None:
    with TemporaryDirectory() as spool:
        async with (
            asyncio.timeout_at(end),
            serving(WarmupServer(KEY, has_news=False).serve) as telegram,
        ):
            assignment = assignment_to(telegram, NO_PLANFIX, spool)
            factory = f"{__name__}:{polling_session.__name__}"
            assignment = assignment.model_copy(update={"session_factory": factory})
            await run_worker(assignment, partial(_watch_rest, report, assignment.deadline))


def polling_session(assignment: Assignment, outbox: Outbox, lease: WritePermit) -> NumberSession:
    """Make a session that polls more often than others."""
    return NumberSession(assignment, outbox, lease, timing=ConnectionTiming(poll_interval=POLLING))


async def _watch_rest(
    report: Callable[[int], None], deadline: float, supervisor: Pipe[Event, Command]
) -> None:
    await _until_online(supervisor)
    begin_recording(report)
    try:
        for beat_id in range(2, BEATS + 2):
            supervisor.put(Beat(beat_id=beat_id, deadline=deadline + beat_id))
            await asyncio.sleep(BEATING)
            while (event := await supervisor.receive()) and not isinstance(event, Pulse):
                pass
    finally:
        end_recording()


def code_of_messages(end: float) -> CodeIds:
    """Return the code of a whole round of the warm-up."""
    found: set[int] = set()
    begin_recording(found.add)
    try:
        warm_up(1, end)
    finally:
        end_recording()
    return found


def code_of_start(end: float) -> CodeIds:
    """Fork a worker, and return the code that it runs from its first moment until it is online.

    If it fails, workers run all the same but use more memory.
    """
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    if not (worker := os.fork()):
        _be_worker(theirs, writing)
    theirs.close()
    os.close(writing)
    try:
        asyncio.run(_supervise(ours, end))
    except Exception:  # the root of the trial
        logger.exception("the trial of a worker failed")
    finally:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
    with os.fdopen(reading, "rb") as reported:
        return {found for (found,) in IDENTITY.iter_unpack(reported.read())}


def _be_worker(end: socket.socket, writing: int) -> NoReturn:
    reported: set[int] = set()

    def report(code: int) -> None:
        if code not in reported:
            reported.add(code)
            os.write(STANDARD_INPUT, IDENTITY.pack(code))

    try:
        os.dup2(writing, STANDARD_INPUT)  # a worker closes every other descriptor
        begin_recording(report)
        entry.main(SimpleNamespace(fileno=end.fileno))
    finally:
        os._exit(ExitCode.CRASHED)  # whatever happens, it must not go on as the forkserver


async def _supervise(ours: socket.socket, end: float) -> None:
    """Start the worker, and end it once it is online."""
    pipe: Pipe[Event, Command] = await Pipe.open(ours, EVENTS)
    try:
        with TemporaryDirectory() as folder:
            async with (
                asyncio.timeout_at(end),
                serving(WarmupServer(KEY, has_news=False).serve) as telegram,
            ):
                await _run_worker(pipe, assignment_to(telegram, NO_PLANFIX, f"{folder}/spool"))
    finally:
        pipe.close()


async def _run_worker(pipe: Pipe[Event, Command], assignment: Assignment) -> None:
    pipe.put(assignment)
    pipe.put(Beat(beat_id=1, deadline=assignment.deadline + 1.0))
    await _until_online(pipe)
    pipe.finish()
    while await pipe.receive():
        pass


async def _until_online(supervisor: Pipe[Event, Command]) -> None:
    while event := await supervisor.receive():
        if isinstance(event, SessionChanged) and event.state is SessionState.ONLINE:
            return
