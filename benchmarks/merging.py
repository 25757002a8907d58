"""What the kernel's merging of equal pages is worth, what its daemon costs; only where it may be switched."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

KSM = Path("/sys/kernel/mm/ksm")
EAGER = {"pages_to_scan": "2000", "sleep_millisecs": "20", "run": "1"}
SETTLED = {"pages_to_scan": "100", "sleep_millisecs": "20"}  # the kernel's own defaults
SCANS = 3  # the first only looks, the second merges what has not changed since
PATIENCE = 600.0  # seconds
LOOKS = 0.5  # seconds between two looks
WATCHED = 30.0  # seconds over which ksmd's time is taken once nothing new is merged


def is_switchable() -> bool:
    return os.access(KSM / "run", os.W_OK)


async def merging(memory: Callable[[], Awaitable[float]], numbers: int) -> list[Figure]:
    """Let ksmd run until all is merged that can be; `memory` measures all workers, in MB."""
    if not is_switchable():
        return []
    with _ksmd(EAGER):
        start = time.perf_counter()
        await _scans(SCANS)
        taken = time.perf_counter() - start
        merged = await memory()
        _set(SETTLED)
        share = await _ksmd_share()
        settled = await memory()
    return [
        Figure("memory per number, pages merged (PSS)", settled / numbers, "MB", at_most=3.5),
        Figure("  right after the eager scans", merged / numbers, "MB"),
        Figure("  seconds of eager scanning until then", taken, "s"),
        Figure("  ksmd once settled, of a core", share * 100, "%", at_most=3),
    ]


async def _scans(count: int) -> None:
    """Wait for whole scans of all pages that were offered, begun after now."""
    until = _read("full_scans") + count
    async with asyncio.timeout(PATIENCE):
        while True:
            if _read("full_scans") >= until:
                return
            await asyncio.sleep(LOOKS)


async def _ksmd_share() -> float:
    daemon = next(one for one in psutil.process_iter(["name"]) if one.name() == "ksmd")
    before, start = sum(daemon.cpu_times()[:2]), time.perf_counter()
    await asyncio.sleep(WATCHED)
    used: float = sum(daemon.cpu_times()[:2]) - before
    return used / (time.perf_counter() - start)


@contextmanager
def _ksmd(settings: dict[str, str]) -> Iterator[None]:
    before = {name: (KSM / name).read_text().strip() for name in settings}
    _set(settings)
    try:
        yield
    finally:
        _set(before)


def _set(settings: dict[str, str]) -> None:
    for name, value in settings.items():
        (KSM / name).write_text(value)


def _read(name: str) -> int:
    return int((KSM / name).read_text())
