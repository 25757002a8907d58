"""Whether the gateway and its workers grow during a soak: memory and open files over time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING

import httpx
import psutil

from benchmarks.programs.processes import by_part, pss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.programs.gateway import GatewayProgram

FEWEST = 12  # samples, below which nothing can be said
GROWTH = 0.1  # of what there was; the allocator and the databases' caches need some room
ROOM = {"gateway_memory": 16.0, "worker_memory": 2.0, "gateway_files": 8.0, "worker_files": 2.0}


@dataclass(frozen=True, slots=True)
class Sample:
    """Megabytes and open files, of the gateway's own process and of an average worker."""

    gateway_memory: float
    gateway_files: float
    worker_memory: float
    worker_files: float


@dataclass(frozen=True, slots=True)
class Trend:
    """How a figure was after the beginning and at the end of a soak, and at most."""

    name: str
    early: float
    late: float
    most: float

    @property
    def is_flat(self) -> bool:
        return self.late <= self.early * (1 + GROWTH) + ROOM[self.name]


def trends(samples: Sequence[Sample]) -> list[Trend]:
    """Compare the second quarter with the last one; in the first everything still warms up."""
    if len(samples) < FEWEST:
        return []
    quarter = len(samples) // 4
    names = [field.name for field in fields(Sample)]
    columns = zip(*map(astuple, samples), strict=True)
    return [
        Trend(name, median(column[quarter : 2 * quarter]), median(column[-quarter:]), max(column))
        for name, column in zip(names, columns, strict=True)
    ]


def report(samples: Sequence[Sample]) -> Iterator[str]:
    for trend in trends(samples):
        unit = "files" if trend.name.endswith("files") else "MB"
        verdict = "flat" if trend.is_flat else "GROWS"
        yield (
            f"  {trend.name.replace('_', ' '):20}  {trend.early:>10,.1f} -> {trend.late:,.1f} {unit}, "
            f"at most {trend.most:,.1f}: {verdict}"
        )


async def sample_all_along(
    gateway: Callable[[], GatewayProgram], samples: list[Sample], pause: float
) -> None:
    """Measure whichever gateway runs, until cancelled; one that is just being killed is left out."""
    while True:
        await asyncio.sleep(pause)
        with suppress(psutil.Error, httpx.HTTPError, OSError, RuntimeError, IndexError):
            samples.append(await _measure(gateway()))


async def _measure(gateway: GatewayProgram) -> Sample:
    parts = await by_part(gateway)
    return await asyncio.to_thread(_sample_of, parts["gateway"], parts["workers"])


def _sample_of(server: Sequence[psutil.Process], workers: Sequence[psutil.Process]) -> Sample:
    return Sample(
        gateway_memory=sum(map(pss, server)),
        gateway_files=sum(map(_files, server)),
        worker_memory=mean(map(pss, workers)),
        worker_files=mean(map(_files, workers)),
    )


def _files(process: psutil.Process) -> float:
    return float(sum(1 for _ in Path(f"/proc/{process.pid}/fd").iterdir()))
