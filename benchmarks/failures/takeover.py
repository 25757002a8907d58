"""How soon a gateway on standby takes over from one that was killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.measurement import Measurement
from benchmarks.programs.gateway import running_gateway, until
from benchmarks.programs.numbers import is_online, running_numbers, shown_numbers
from benchmarks.programs.sandbox import running_sandbox

if TYPE_CHECKING:
    from benchmarks.programs.gateway import GatewayProgram

NUMBERS = ["380500000000", "380500000001", "380500000002"]
LOOKS = 0.01  # seconds between two looks


async def measure() -> list[Measurement]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            running_sandbox() as sandbox,
            running_numbers(folder, sandbox, NUMBERS) as first,
            running_gateway(folder, sandbox) as second,
        ):
            await second.until_serving()
            return await killing(first, second)


async def killing(first: GatewayProgram, second: GatewayProgram) -> list[Measurement]:
    family = first.family()
    start = time.perf_counter()
    os.kill(first.process.pid, signal.SIGKILL)

    async def are_gone() -> bool:
        return not any(map(_runs, family))

    async def is_ready() -> bool:
        return (await second.http.get("/readyz")).is_success

    async def are_online() -> bool:
        return all(map(is_online, await shown_numbers(second)))

    await until(are_gone, LOOKS)
    gone = time.perf_counter() - start
    await until(is_ready, LOOKS)
    ready = time.perf_counter() - start
    await until(are_online, LOOKS)
    return [
        Measurement("kill -9 of a gateway until nothing of it is left", gone, "s", at_most=1),
        Measurement("kill -9 of a gateway until the one standing by serves", ready, "s", at_most=2),
        Measurement("  until its numbers are online", time.perf_counter() - start, "s"),
    ]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
