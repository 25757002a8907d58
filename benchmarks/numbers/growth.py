"""How memory, start, throughput and delay grow with the numbers and with the messages, until something breaks.

`python -m benchmarks growth` keeps its points in `benchmarks/plots/growth.json`, from which the plots are drawn.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.measurement import Measurement, describe_machine
from benchmarks.plots.growth import keep_growth
from benchmarks.programs.gateway import running_gateway
from benchmarks.programs.numbers import until_online
from benchmarks.programs.processes import by_part, cpu_by_part, cpu_seconds, memory_of_number, pss
from benchmarks.programs.traffic import running_traffic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.programs.gateway import GatewayProgram
    from benchmarks.programs.traffic import Stretch, Traffic

SIZES = (10, 25, 50, 100, 200, 400)
RATES = (10, 30, 100, 300, 1000)
NUMBERS = [f"38053{number:07}" for number in range(max(SIZES))]
STEADY_RATE = 40.0  # messages a second for each size, half of them each way
STEADY_SIZE = 100  # numbers for each rate
STRETCH = 10.0  # seconds
SETTLING = 10.0  # seconds until the memory of idle workers is measured
IN_TIME = 0.9  # of the messages; if fewer arrive while they are written, the rate is too high
SLOW = 2000.0  # milliseconds of p99, above which it is too high, too
FULL = 0.9  # of what a part can use
FOREIGN = 0.25  # of the machine; the kernel's own work for the messages is less
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class Load:
    """What became of messages at one rate, and how many cores each part used for it."""

    rate: float
    arrived: float  # messages a second in both directions, while they were written
    lost: int
    to_planfix_median: float
    to_planfix_p99: float
    to_telegram_median: float
    to_telegram_p99: float
    cores: Mapping[str, float]
    idle: float  # cores that nobody used

    @property
    def breaks(self) -> str:
        """Say what is too much for what; nothing if all is well."""
        slowest = max(self.to_planfix_p99, self.to_telegram_p99)
        if not self.lost and self.arrived >= IN_TIME * self.rate and slowest <= SLOW:
            return ""
        used = ", ".join(f"{name} {cores:.2f}" for name, cores in self.cores.items())
        return f"{self._limit()} (cores used: {used})"

    def _limit(self) -> str:
        for name in ("gateway", "sandbox"):
            if self.cores[name] >= FULL:
                return f"the {name}, one process, uses a whole core"
        if self.idle > (1 - FULL) * CORES:
            return "something waits while the processors are idle"
        if CORES - self.idle - sum(self.cores.values()) > FOREIGN * CORES:
            return "other programs have the processors"
        return f"all {CORES} cores are used up"


@dataclass(frozen=True, slots=True)
class Size:
    """What so many numbers cost, and their messages at a modest rate."""

    numbers: int
    start: float  # milliseconds for each number from the gateway's start until all are online
    memory: float  # MB for each number: workers and forkserver
    gateway: float  # MB
    load: Load


async def measure() -> list[Measurement]:
    sizes: list[Size] = []
    loads: list[Load] = []
    machine = describe_machine()
    with TemporaryDirectory() as name:
        async with running_traffic() as traffic:
            await traffic.make(NUMBERS)
            for before, count in pairwise((0, *SIZES)):
                await _add(Path(name), traffic, NUMBERS[before:count])
                async with running_gateway(Path(name), traffic.program) as gateway:
                    sizes.append(await _size(gateway, traffic, count))
                    if count == STEADY_SIZE:
                        loads = await _loads(gateway, traffic, NUMBERS[:count])
    keep_growth([asdict(each) for each in sizes], [_record(each) for each in loads], machine)
    return [*_of_sizes(sizes), *_of_loads(loads)]


async def _add(folder: Path, traffic: Traffic, numbers: Sequence[str]) -> None:
    async with running_gateway(folder, traffic.program) as gateway:
        await gateway.until_serving()
        await traffic.register(gateway, numbers)
        await gateway.terminate()


async def _size(gateway: GatewayProgram, traffic: Traffic, count: int) -> Size:
    await gateway.until_serving()
    await until_online(gateway, NUMBERS[count - 1])
    start = (time.perf_counter() - gateway.started) * 1000 / count
    await asyncio.sleep(SETTLING)
    parts = await by_part(gateway)
    memory = memory_of_number(parts)
    own = sum(map(pss, parts["gateway"]))
    load = await _load(gateway, traffic, NUMBERS[:count], STEADY_RATE)
    return Size(count, start, memory, own, load)


async def _loads(gateway: GatewayProgram, traffic: Traffic, numbers: Sequence[str]) -> list[Load]:
    """Raise the rate until something breaks."""
    loads: list[Load] = []
    for rate in RATES:
        loads.append(await _load(gateway, traffic, numbers, rate))
        if loads[-1].breaks:
            break
    return loads


async def _load(
    gateway: GatewayProgram, traffic: Traffic, numbers: Sequence[str], rate: float
) -> Load:
    before, idle, start = await _used(gateway, traffic), _idle(), time.perf_counter()
    writing = asyncio.create_task(traffic.write(numbers, rate / 2, STRETCH))
    posted = await traffic.answer(gateway, numbers, rate / 2, STRETCH)
    wall, after, idle = time.perf_counter() - start, await _used(gateway, traffic), _idle() - idle
    to_planfix = await writing
    to_telegram = await traffic.answered(numbers, posted)
    return Load(
        rate,
        sum(map(_arrived, (to_planfix, to_telegram))),
        to_planfix.lost + to_telegram.lost,
        to_planfix.median,
        to_planfix.p99,
        to_telegram.median,
        to_telegram.p99,
        {name: (after[name] - before[name]) / wall for name in after},
        idle / wall,
    )


def _arrived(stretch: Stretch) -> float:
    return stretch.in_time / max(stretch.seconds, STRETCH)


async def _used(gateway: GatewayProgram, traffic: Traffic) -> dict[str, float]:
    used = await cpu_by_part(gateway)
    own = sum(os.times()[:2])
    return used | {"sandbox": cpu_seconds(traffic.program.process), "caller": own}


def _idle() -> float:
    """Return the seconds in which processors had nothing to do."""
    times = psutil.cpu_times()
    return times.idle + times.iowait


def _record(load: Load) -> dict[str, object]:
    return asdict(load) | {"breaks": load.breaks}


def _of_sizes(sizes: Sequence[Size]) -> list[Measurement]:
    return [
        figure
        for each in sizes
        for figure in (
            Measurement(f"{each.numbers} numbers: memory of each (PSS)", each.memory, "MB"),
            Measurement("  from start until online, each", each.start, "ms"),
            Measurement(
                f"  at {STEADY_RATE:g}/s into Planfix, p99", each.load.to_planfix_p99, "ms"
            ),
            Measurement(
                f"  at {STEADY_RATE:g}/s into Telegram, p99", each.load.to_telegram_p99, "ms"
            ),
        )
    ]


def _of_loads(loads: Sequence[Load]) -> list[Measurement]:
    return [
        figure
        for each in loads
        for figure in (
            Measurement(
                f"{each.rate:g} messages/s over {STEADY_SIZE} numbers: arrived", each.arrived, "/s"
            ),
            Measurement("  into Planfix, median", each.to_planfix_median, "ms"),
            Measurement("  into Planfix, p99", each.to_planfix_p99, "ms"),
            Measurement("  into Telegram, median", each.to_telegram_median, "ms"),
            Measurement("  into Telegram, p99", each.to_telegram_p99, "ms"),
            Measurement("  lost", each.lost, "", at_most=0),
            *([Measurement(f"  breaks: {each.breaks}", each.rate, "/s")] if each.breaks else ()),
        )
    ]
