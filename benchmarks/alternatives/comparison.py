"""Telefix beside the plain ways to do the same: memory, start, restart, and what one number does to the others."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.alternatives import restarts
from benchmarks.alternatives.environment import programs
from benchmarks.alternatives.one_loop import HANG
from benchmarks.measurement import Measurement, describe_machine, origin
from benchmarks.plots.chart import PLOTS, Bars, draw_bars
from benchmarks.programs.gateway import BY_DEFAULT, GatewayOptions, running_gateway
from benchmarks.programs.numbers import restart_by_kill, until_online, worker_of
from benchmarks.programs.processes import by_part, pss
from benchmarks.programs.sandbox import TOP
from benchmarks.programs.traffic import running_traffic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from benchmarks.programs.traffic import Traffic

NUMBERS = [f"38056{number:07}" for number in range(50)]
KILLED = NUMBERS[::5]
SPAWNED = GatewayOptions(application="benchmarks.alternatives.spawned_gateway:create_app()")
SETTLING = 10.0  # seconds until the memory of idle workers is measured
RATE = 50.0  # messages a second to all other numbers together
STRETCH = 10.0  # seconds
BETWEEN_HANGS = 2.5  # seconds


@dataclass(frozen=True, slots=True)
class Way:
    """What one way to run all the numbers costs."""

    memory: float  # MB for each number
    start: float  # milliseconds for each number
    quiet: float  # milliseconds of p99 into Planfix
    beside_a_hang: float  # the same for the others while one number hangs again and again


async def measure() -> list[Measurement]:
    machine = describe_machine()
    async with running_traffic() as traffic:
        await traffic.make(NUMBERS)
        with TemporaryDirectory() as name:
            async with running_gateway(Path(name), traffic.program) as gateway:
                await gateway.until_serving()
                await traffic.register(gateway, NUMBERS)
                await gateway.terminate()
            spawned = await _workers(Path(name), traffic, SPAWNED)
            ours = await _workers(Path(name), traffic, BY_DEFAULT)
            worker = await _restart_of_worker(Path(name), traffic)
        with TemporaryDirectory() as name:
            cold = await _cold_start(Path(name), traffic)
        one_loop, everybody = await _one_loop(traffic)
    folder = await programs()
    by_supervisord = await asyncio.to_thread(restarts.supervisord, folder)
    by_circus = await asyncio.to_thread(restarts.circus, folder)
    _draw(ours, spawned, one_loop, machine)
    return [
        *_of_way("a worker for each number (Telefix)", ours),
        *_of_way("the same, spawned instead of forked", spawned),
        *_of_way("all numbers in one event loop", one_loop),
        Measurement("start: spawned / forked", spawned.start / ours.start, "x"),
        Measurement("memory: spawned / forked", spawned.memory / ours.memory, "x"),
        Measurement("a number from the gateway's cold start until online", cold, "s"),
        Measurement("kill -9 of a worker until online, median", worker, "s"),
        Measurement("  against the cold start", worker / cold, "x", at_most=1 / 3),
        Measurement("kill -9 of the one event loop until all online", everybody, "s"),
        Measurement("kill -9 of a trivial process under supervisord, median", by_supervisord, "s"),
        Measurement("kill -9 of a trivial process under circus, median", by_circus, "s"),
    ]


def _of_way(name: str, way: Way) -> list[Measurement]:
    return [
        Measurement(f"{name}: memory of each", way.memory, "MB"),
        Measurement("  from start until all are online, each", way.start, "ms"),
        Measurement("  into Planfix, p99", way.quiet, "ms"),
        Measurement(f"  while one hangs for {HANG:g} s at a time", way.beside_a_hang, "ms"),
        Measurement("  ratio", way.beside_a_hang / way.quiet, "x"),
    ]


async def _workers(folder: Path, traffic: Traffic, options: GatewayOptions) -> Way:
    async with running_gateway(folder, traffic.program, options) as gateway:
        await gateway.until_serving()
        await until_online(gateway, NUMBERS[-1])
        start = (time.perf_counter() - gateway.started) * 1000 / len(NUMBERS)
        await asyncio.sleep(SETTLING)
        parts = await by_part(gateway)
        helpers = parts["forkserver"] if options is BY_DEFAULT else []
        memory = sum(map(pss, (*parts["workers"], *helpers))) / len(NUMBERS)
        pid = await worker_of(gateway, NUMBERS[0])
        quiet, hanging = await _delays(traffic, lambda: _freeze(pid))
        await gateway.terminate()
    return Way(memory, start, quiet, hanging)


async def _restart_of_worker(folder: Path, traffic: Traffic) -> float:
    async with running_gateway(folder, traffic.program) as gateway:
        await gateway.until_serving()
        await until_online(gateway, NUMBERS[-1])
        taken = [await restart_by_kill(gateway, number) for number in KILLED]
    return statistics.median(taken) / 1000


async def _cold_start(folder: Path, traffic: Traffic) -> float:
    """Return the seconds from the start of a gateway until its only number is online."""
    number = NUMBERS[0]
    async with running_gateway(folder, traffic.program) as gateway:
        await gateway.until_serving()
        await traffic.register(gateway, [number])
        await gateway.terminate()
    async with running_gateway(folder, traffic.program) as gateway:
        await gateway.until_serving()
        await until_online(gateway, number)
        return time.perf_counter() - gateway.started


async def _one_loop(traffic: Traffic) -> tuple[Way, float]:
    """Return what one loop costs, and the seconds until all are back after it was killed."""
    async with _running_loop(traffic) as (process, taken):
        await asyncio.sleep(SETTLING)
        memory = pss(process) / len(NUMBERS)
        quiet, hanging = await _delays(traffic, lambda: process.send_signal(signal.SIGUSR1))
        killed = time.perf_counter()
        process.kill()
        async with _running_loop(traffic):
            back = time.perf_counter() - killed
    return Way(memory, taken * 1000 / len(NUMBERS), quiet, hanging), back


@asynccontextmanager
async def _running_loop(traffic: Traffic) -> AsyncIterator[tuple[psutil.Process, float]]:
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.alternatives.one_loop"),
        cwd=TOP,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    place = {"public_key": traffic.program.public_key, "drafts": traffic.drafts}
    try:
        process.stdin.write(json.dumps(place).encode())
        process.stdin.close()
        if await process.stdout.readline() != b"ONLINE\n":
            raise RuntimeError("the one event loop did not come online")
        yield psutil.Process(process.pid), time.perf_counter() - started
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _delays(traffic: Traffic, hang: Callable[[], object]) -> tuple[float, float]:
    """Return the p99 of all numbers but the first, in quiet and while the first one hangs."""
    quiet = await traffic.write(NUMBERS[1:], RATE, STRETCH)
    hanging = asyncio.create_task(_hang_on(hang))
    beside = await traffic.write(NUMBERS[1:], RATE, STRETCH)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    return quiet.p99, beside.p99


async def _hang_on(hang: Callable[[], object]) -> None:
    while True:
        hang()
        await asyncio.sleep(BETWEEN_HANGS)


def _freeze(pid: int) -> None:
    """Let a worker hang as long as a handler in the one loop does."""
    os.kill(pid, signal.SIGSTOP)
    asyncio.get_running_loop().call_later(HANG, os.kill, pid, signal.SIGCONT)


def _draw(ours: Way, spawned: Way, one_loop: Way, machine: dict[str, object]) -> None:
    ways = {"Telefix": ours, "spawned workers": spawned, "one event loop": one_loop}
    note = origin(machine)
    plots = {
        "alternatives-hang": Bars(
            f"p99 into Planfix of {len(NUMBERS) - 1} numbers while another hangs 1 s at a time",
            note,
            "ms",
            [(name, way.beside_a_hang) for name, way in ways.items()],
        ),
        "alternatives-memory": Bars(
            f"Memory of each of {len(NUMBERS)} numbers",
            note,
            "MB",
            [(name, way.memory) for name, way in ways.items()],
        ),
    }
    for name, plot in plots.items():
        (PLOTS / f"{name}.svg").write_text(draw_bars(plot))
