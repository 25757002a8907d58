"""What becomes of the workers when their supervisor dies or stands still."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from tests.process.workers.program import FROZEN
from tests.process.workers.watched_gateway import alive, forkserver_of, running
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

CALM = [f"38050000000{i}" for i in range(3)]
SPINNER = "380500000009"
ALL = [*CALM, SPINNER]
LEASE = 5.0  # seconds
ENDLESS = 3600.0  # seconds; whoever ends before does so for another reason


async def test_killed_supervisor_takes_all_workers_along(tmp_path: Path) -> None:
    """After its death nobody is left, not even who spins without an await."""
    async with running(tmp_path, ENDLESS, *CALM, f"{SPINNER}=spin") as program:
        pids = await program.until_online(ALL)
        forkserver = forkserver_of(min(pids))
        os.kill(program.said[SPINNER]["pid"], signal.SIGUSR1)
        program.process.kill()
        await eventually(lambda: not alive(pids | {forkserver}), awaited="all are gone")


async def test_frozen_worker_does_not_outlive_its_supervisor(tmp_path: Path) -> None:
    """A worker that is stopped dies too, though it can neither read nor run."""
    async with running(tmp_path, ENDLESS, *CALM) as program:
        pids = await program.until_online(CALM)
        os.kill(min(pids), signal.SIGSTOP)
        program.process.kill()
        await eventually(lambda: not alive(pids), awaited="all are gone")


async def test_frozen_supervisor_loses_its_workers_then_gets_them_back(tmp_path: Path) -> None:
    """The kernel ends each worker at its deadline; nothing of it is held against the numbers."""
    async with running(tmp_path, LEASE, *CALM) as program:
        pids = await program.until_online(CALM)
        frozen = time.monotonic()
        program.process.send_signal(signal.SIGSTOP)

        await eventually(lambda: not alive(pids), awaited="the leases end")

        lasted = time.monotonic() - frozen
        program.process.send_signal(signal.SIGCONT)
        await program.until_online(CALM, but=frozenset(pids))
        assert lasted > LEASE / 2  # its end is the kernel's doing: nobody is killed at once
        assert {each["error"] for each in program.said.values()} == {"lease_over"}


async def test_shortly_frozen_supervisor_kills_nobody(tmp_path: Path) -> None:
    """A pause within the lease is not mistaken for the silence of the workers."""
    async with running(tmp_path, ENDLESS, *CALM) as program:
        pids = await program.until_online(CALM)
        program.process.send_signal(signal.SIGSTOP)
        end = time.monotonic() + FROZEN  # more than ten missed beats

        await eventually(lambda: time.monotonic() > end)
        program.process.send_signal(signal.SIGCONT)

        end = time.monotonic() + 1.0
        await eventually(lambda: time.monotonic() > end)
        assert await program.until_online(CALM) == pids


async def test_dead_forkserver_is_replaced_with_its_workers(tmp_path: Path) -> None:
    """Workers die with the process they were forked from; all come back, none is blamed."""
    async with running(tmp_path, ENDLESS, *CALM) as program:
        pids = await program.until_online(CALM)

        os.kill(forkserver_of(min(pids)), signal.SIGKILL)

        await program.until_online(CALM, but=frozenset(pids))
        assert not alive(pids)
        assert {each["error"] for each in program.said.values()} == {"forkserver_lost"}


async def test_second_gateway_takes_over(tmp_path: Path) -> None:
    """It stands by while the first one lives, then runs all its numbers."""
    async with running(tmp_path, ENDLESS, *CALM) as first:
        pids = await first.until_online(CALM)
        async with running(tmp_path, ENDLESS) as second:
            await eventually(lambda: second.said, awaited="the second says something")
            assert "standing by" in second.said

            first.process.kill()

            await second.until_online(CALM, but=frozenset(pids))


async def test_orderly_end_lets_everybody_leave(tmp_path: Path) -> None:
    """After SIGTERM the program ends well, its workers before it."""
    async with running(tmp_path, ENDLESS, *CALM) as program:
        pids = await program.until_online(CALM)

        program.process.terminate()

        assert await program.process.wait() == 0
        assert not alive(pids)
