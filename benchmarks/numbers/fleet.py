"""What 200 numbers cost: the memory, and the time to start, restart and stop them."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measurement import Measurement, p99
from benchmarks.programs.gateway import CLIENT, running_gateway
from benchmarks.programs.numbers import (
    few_at_a_time,
    restart_by_kill,
    running_numbers,
    until_online,
)
from benchmarks.programs.processes import by_part, cpu_by_part, cpu_seconds, memory_of_number, pss
from benchmarks.programs.sandbox import running_sandbox

if TYPE_CHECKING:
    from benchmarks.programs.gateway import GatewayProgram
    from benchmarks.programs.sandbox import SandboxProgram

NUMBERS = [f"38050{number:07}" for number in range(200)]
KILLED = NUMBERS[:: len(NUMBERS) // 40]
SETTLING = 20.0  # seconds: the workers send heartbeats, measure themselves and store their state


async def measure() -> list[Measurement]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with running_sandbox() as sandbox:
            async with running_numbers(folder, sandbox, NUMBERS) as first:
                ending = await first.terminate()
            async with running_gateway(folder, sandbox) as second:
                return [
                    *await starting(second, sandbox),
                    *await resting(second),
                    *await killing(second),
                    Measurement("orderly stop of all 200", await stopping(second), "s"),
                    Measurement(
                        "SIGTERM of the gateway until all is gone", ending, "s", at_most=10
                    ),
                ]


async def starting(gateway: GatewayProgram, sandbox: SandboxProgram) -> list[Measurement]:
    """Wait until the numbers in the database run again."""
    sandbox_before = cpu_seconds(sandbox.process)
    await gateway.until_serving()
    serving = time.perf_counter() - gateway.started
    await until_online(gateway, NUMBERS[-1])
    wall, each = time.perf_counter() - gateway.started, 1000 / len(NUMBERS)
    used = {name: cpu * each for name, cpu in (await cpu_by_part(gateway)).items()}
    used["sandbox"] = (cpu_seconds(sandbox.process) - sandbox_before) * each
    return [
        Measurement("from start until it serves", serving, "s"),
        Measurement("from start until 200 are online, per number", wall * each, "ms", at_most=30),
        *(Measurement(f"  CPU of it: {name}", cpu, "ms") for name, cpu in used.items()),
    ]


async def resting(gateway: GatewayProgram) -> list[Measurement]:
    """Measure the memory of the processes once they are idle."""
    await asyncio.sleep(SETTLING)
    parts = await by_part(gateway)
    beside = sum(map(pss, parts["gateway"]))
    return [
        Measurement("memory per number (PSS)", memory_of_number(parts), "MB", at_most=10),
        Measurement("  largest worker", max(map(pss, parts["workers"])), "MB"),
        Measurement("memory of the gateway beside them (PSS)", beside, "MB"),
    ]


async def killing(gateway: GatewayProgram) -> list[Measurement]:
    taken = [await restart_by_kill(gateway, number) for number in KILLED]
    return [
        Measurement("kill -9 until online, median", statistics.median(taken), "ms", at_most=150),
        Measurement("kill -9 until online, p99", p99(taken), "ms"),
    ]


async def stopping(gateway: GatewayProgram) -> float:
    """Stop every number by the webhook; return the seconds it takes."""

    async def delete(number: str) -> None:
        await gateway.call("DELETE", "/webhook", {"name": CLIENT, "number": number})

    start = time.perf_counter()
    await few_at_a_time(delete, NUMBERS)
    return time.perf_counter() - start
