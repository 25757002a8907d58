"""The delay of ten numbers while an eleventh one is flooded, compared with their delay without the flood."""

from __future__ import annotations

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.measurement import Measurement
from benchmarks.programs.gateway import running_gateway
from benchmarks.programs.traffic import running_traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS = [f"38054{number:07}" for number in range(11)]
FLOODED, OTHERS = NUMBERS[0], NUMBERS[1:]
RATE = 50.0  # messages a second to the ten together
FLOOD = 150.0  # messages a second to the flooded one, more than it may hand on
STRETCH = 10.0  # seconds
TURNS = 4
PATIENCE = 120.0  # seconds until Planfix has all of a flood


async def measure() -> list[Measurement]:
    quiet, noisy, ratios = [], [], []
    with TemporaryDirectory() as name:
        async with (
            running_traffic() as traffic,
            running_gateway(Path(name), traffic.program) as gateway,
        ):
            await traffic.make(NUMBERS)
            await gateway.until_serving()
            await traffic.register(gateway, NUMBERS)
            for _ in range(TURNS):
                before = await traffic.write(OTHERS, RATE, STRETCH)
                await traffic.order(flood=FLOODED, rate=FLOOD)
                meanwhile = await traffic.write(OTHERS, RATE, STRETCH)
                await traffic.order(calm=PATIENCE)
                quiet.append(before)
                noisy.append(meanwhile)
                ratios.append(meanwhile.p99 / before.p99)
    return [
        Measurement("median of 10 numbers in quiet", _middle(s.median for s in quiet), "ms"),
        Measurement("  while an eleventh is flooded", _middle(s.median for s in noisy), "ms"),
        Measurement("p99 of 10 numbers in quiet", _middle(s.p99 for s in quiet), "ms"),
        Measurement("  while an eleventh is flooded", _middle(s.p99 for s in noisy), "ms"),
        Measurement("  ratio, median of the turns", _middle(ratios), "x", at_most=1.5),
        Measurement("  ratio, worst turn", max(ratios), "x"),
    ]


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)
