"""The end of a worker's time."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest

from session_worker.protocol.contract import ExitCode
from supervisor.config import Timing
from supervisor.processes.worker_exit import WorkerExit
from supervisor.processes.worker_process import CALM, FLOODED, is_flooded
from supervisor.processes.worker_run import WorkerRun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Leaving:
    """A worker that has ended by itself, whose parting takes as long as the test wants."""

    pid = 1
    unanswered = 0
    frames = 0
    has_unread = False
    lease_over = False
    breach: str | None = None

    def __init__(self) -> None:
        self.may_go = asyncio.Event()
        self.parting = asyncio.Event()
        self.is_closed = False

    def beat(self) -> None: ...

    async def wait_gone(self) -> None: ...

    async def events(self) -> AsyncIterator[Any]:
        nothing: list[list[Any]] = []
        for events in nothing:
            yield events

    async def stop(self) -> None:
        self.parting.set()
        await self.may_go.wait()

    async def reap(self) -> int:
        return ExitCode.NEEDS_LOGIN

    def close(self) -> None:
        self.is_closed = True


class Silent(Leaving):
    """A worker that answers no beat and lives until it is ended."""

    pulse = None

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid = pid
        self.is_ended = asyncio.Event()

    def beat(self) -> None:
        self.unanswered += 1

    async def wait_gone(self) -> None:
        await self.is_ended.wait()

    async def events(self) -> AsyncIterator[Any]:
        await self.is_ended.wait()
        async for events in super().events():
            yield events

    async def abort(self) -> None:
        self.is_ended.set()
        self.may_go.set()


async def handle_nothing(_events: list[Any]) -> None: ...


@pytest.mark.parametrize("cancels", [1, 3])
async def test_parting_is_never_cut_short(cancels: int) -> None:
    """Who stops a number while its worker leaves by itself waits until nothing of it is left."""
    worker: Any = Leaving()
    serving = asyncio.create_task(WorkerRun(worker, Timing(), handle_nothing).run())
    await worker.parting.wait()

    for _ in range(cancels):
        serving.cancel()
        await asyncio.sleep(0)
    still_parting = not serving.done()
    worker.may_go.set()
    await asyncio.wait({serving})

    assert still_parting
    assert worker.is_closed
    assert serving.cancelled()


async def test_end_is_told() -> None:
    """Left alone, the shift tells why its worker ended."""
    worker: Any = Leaving()
    worker.may_go.set()

    assert await WorkerRun(worker, Timing(), handle_nothing).run() is WorkerExit.NEEDS_LOGIN


async def test_stopped_worker_is_ended_with_its_second_beat_unanswered() -> None:
    """What a stopped process owes is noted at each look; it is ended only when the pool agrees."""
    stopped = await asyncio.create_subprocess_exec("sleep", "infinity")
    stopped.send_signal(signal.SIGSTOP)
    worker: Any = Silent(stopped.pid)
    noted: list[int] = []
    answers = iter([False, True])
    try:
        run = WorkerRun(
            worker,
            Timing(beat=0.02),
            handle_nothing,
            record_unanswered=noted.append,
            may_kill=lambda: next(answers),
        )
        assert await run.run() is WorkerExit.UNRESPONSIVE
    finally:
        stopped.kill()
        await stopped.wait()

    assert noted == [1, 2, 2, 3]


def test_flood_is_over_when_little_is_left() -> None:
    """A worker counts as flooded from many that wait until few do, so that it does not flip."""
    steps = [0, FLOODED, FLOODED + 1, FLOODED - 1, CALM + 1, CALM, FLOODED]
    flooded, seen = False, []
    for waiting in steps:
        flooded = is_flooded(waiting, was_flooded=flooded)
        seen.append(flooded)

    assert seen == [False, False, True, True, True, False, False]
