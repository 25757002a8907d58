"""A worker's way up to its supervisor."""

from __future__ import annotations

import asyncio
import socket
import sys

from session_worker.protocol.contract import EVENTS, Event, ExitCode, SessionChanged, SessionState
from session_worker.protocol.pipe import Pipe
from tests.support.waiting import PATIENCE

WORKER = """
import asyncio, logging, socket, sys
from session_worker.protocol.contract import COMMANDS, SessionChanged, SessionState
from session_worker.protocol.pipe import Pipe
from session_worker.process.worker import SupervisorOutbox

async def report() -> None:
    try:
        reporter = SupervisorOutbox(await Pipe.open(socket.socket(fileno=int(sys.argv[1])), COMMANDS))
        while True:
            await reporter.report(SessionChanged(state=SessionState.ONLINE))
            await asyncio.sleep(0)
    finally:
        print("something else is done")

logging.basicConfig()
asyncio.run(report())
"""


async def test_worker_without_supervisor_ends_at_once() -> None:
    """When nobody takes its events a worker ends without doing, or complaining about, anything else."""
    ours, theirs = socket.socketpair()
    with theirs:
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WORKER, str(theirs.fileno())),
            pass_fds=[theirs.fileno()],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    pipe: Pipe[Event, SessionChanged] = await Pipe.open(ours, EVENTS)
    assert await pipe.receive() == SessionChanged(state=SessionState.ONLINE)

    pipe.close()

    out, complaints = await asyncio.wait_for(worker.communicate(), PATIENCE)
    assert worker.returncode == ExitCode.PARENT_GONE
    assert out == b""
    assert b"the worker ends: the other side is gone" in complaints
    assert b"Traceback" not in complaints
