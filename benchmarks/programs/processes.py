"""What the processes of a gateway use, and other processes that use the processor beside it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.programs.numbers import shown_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.programs.gateway import GatewayProgram


async def by_part(gateway: GatewayProgram) -> dict[str, list[psutil.Process]]:
    """Group the processes by their purpose."""
    pids = {shown["worker"]["pid"] for shown in await shown_numbers(gateway) if shown["worker"]}
    workers = [psutil.Process(pid) for pid in pids]
    forkserver = workers[0].parent()
    assert forkserver is not None
    rest = [one for one in gateway.family() if one.pid not in pids and one != forkserver]
    return {"gateway": rest, "forkserver": [forkserver], "workers": workers}


async def cpu_by_part(gateway: GatewayProgram) -> dict[str, float]:
    """Return the CPU seconds that each part has used since it was started."""
    parts = await by_part(gateway)
    return {name: sum(map(cpu_seconds, processes)) for name, processes in parts.items()}


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def memory_of_number(parts: Mapping[str, Sequence[psutil.Process]]) -> float:
    """Return the MB of all workers and of what they share, for each number."""
    return sum(map(pss, (*parts["workers"], *parts["forkserver"]))) / len(parts["workers"])


def pss(process: psutil.Process) -> float:
    """Return the memory in MB; shared memory counts by this process's share."""
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the kernel tells nothing of process {process.pid}")


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Run other programs that use the processor meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for each in loops:
            each.kill()
            each.wait()
