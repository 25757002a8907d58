"""The kernel ends a process whose lease is over."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE, eventually

TOP = Path(__file__).parents[3]
SPIN = """
import sys
from session_worker.process.lease import Lease, now
lease = Lease(now() + 1.5)
{then}
assert lease.held()
print("leased", flush=True)
while True: pass
"""


async def start(then: str = "") -> asyncio.subprocess.Process:
    """Return when the process has said something, or has ended, as it may before it gets to it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SPIN.format(then=then)), stdout=asyncio.subprocess.PIPE, cwd=TOP
    )
    assert process.stdout is not None
    assert await process.stdout.readline() in {b"leased\n", b""}
    return process


@pytest.mark.parametrize("struck", [None, signal.SIGSTOP])
async def test_lease_ends_whoever_can_not_look(struck: signal.Signals | None) -> None:
    """Neither an endless loop nor a stopped process outlives its deadline."""
    process = await start()
    if struck:
        with suppress(ProcessLookupError):
            process.send_signal(struck)

    code = await asyncio.wait_for(process.wait(), PATIENCE)

    assert code == -signal.SIGKILL


async def test_renewed_lease_goes_on() -> None:
    """A later deadline replaces the earlier one."""
    process = await start("lease.renew(now() + 60)")
    end = time.monotonic() + 2.0

    await eventually(lambda: time.monotonic() > end)

    assert process.returncode is None
    process.kill()
    await process.wait()


async def test_late_renewal_takes_nothing_away() -> None:
    """A beat that was overtaken by a newer one does not shorten the lease."""
    process = await start("lease.renew(now() + 60); lease.renew(now() + 0.1)")
    end = time.monotonic() + 2.0

    await eventually(lambda: time.monotonic() > end)

    assert process.returncode is None
    process.kill()
    await process.wait()


async def test_deadline_in_the_past_ends_at_once() -> None:
    """A lease that is over before it begins begins nothing."""
    program = (
        "from session_worker.process.lease import Lease, now\nLease(now() - 1)\nprint('alive')"
    )

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, cwd=TOP
    )
    said, _ = await process.communicate()

    assert (process.returncode, said) == (-signal.SIGKILL, b"")


async def test_child_of_the_dead_is_told() -> None:
    """A process whose parent died before it asked to die along learns it from the answer."""
    program = "from session_worker.process.lease import die_with_parent as die\nprint(die(1 << 22))"

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, cwd=TOP
    )
    said, _ = await process.communicate()

    assert said == b"False\n"
