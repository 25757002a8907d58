"""The state of 100 numbers while sixteen busy loops compete for the processor."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.fleet import is_online, make_sessions, register, shown_numbers
from benchmarks.gateway_program import running_gateway, until
from benchmarks.measurement import Measurement
from benchmarks.sandbox_program import running_sandbox
from benchmarks.soak import busy_loops

if TYPE_CHECKING:
    from benchmarks.gateway_program import GatewayProgram

NUMBERS = [f"38051{number:07}" for number in range(100)]
LOOPS = 16
STARVED = 180.0  # seconds
FROZEN = 5  # workers, one after the other
GLANCE = 0.05  # seconds


async def measure() -> list[Measurement]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with running_sandbox() as sandbox:
            sessions = await make_sessions(sandbox, NUMBERS)
            async with running_gateway(folder, sandbox) as gateway:
                await register(gateway, sandbox, sessions)
                with busy_loops(LOOPS):
                    await asyncio.sleep(STARVED)
                    shown = await shown_numbers(gateway)
                    found = [await _freeze_one(gateway) for _ in range(FROZEN)]
                quiet = [await _freeze_one(gateway) for _ in range(FROZEN)]
    restarts = sum(each["restarts"] for each in shown)
    offline = sum(not is_online(each) for each in shown)
    return [
        Measurement("healthy workers restarted in 3 minutes", restarts, "", at_most=0),
        Measurement("numbers not online after them", offline, "", at_most=0),
        Measurement("a frozen worker is ended within, at worst", max(found), "s", at_most=4.5),
        Measurement("the same without the busy loops", max(quiet), "s", at_most=4.5),
    ]


async def _freeze_one(gateway: GatewayProgram) -> float:
    """Return the seconds until a worker that was stopped is gone."""
    number = random.choice(NUMBERS)
    pid = (await gateway.call("GET", f"/numbers/{number}"))["worker"]["pid"]
    start = time.perf_counter()
    os.kill(pid, signal.SIGSTOP)

    async def is_gone() -> bool:
        return not psutil.pid_exists(pid)

    await until(is_gone, GLANCE)
    taken = time.perf_counter() - start

    async def is_back() -> bool:
        return is_online(await gateway.call("GET", f"/numbers/{number}"))

    await until(is_back, GLANCE)
    return taken
