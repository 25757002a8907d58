"""The gain of the kernel's merging of equal pages and the cost of its daemon, if it can be switched on."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.measurement import Measurement
from benchmarks.programs.numbers import running_numbers
from benchmarks.programs.processes import by_part, cpu_seconds, memory_of_number
from benchmarks.programs.sandbox import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.programs.gateway import GatewayProgram

NUMBERS = [f"38055{number:07}" for number in range(200)]
RESTING = 20.0  # seconds until the workers have measured themselves and stored their state
KSM = Path("/sys/kernel/mm/ksm")
EAGER = {"pages_to_scan": "2000", "sleep_millisecs": "20", "run": "1"}
SETTLED = {"pages_to_scan": "80", "sleep_millisecs": "20"}  # as the operator's guide has it
SCANS = 3  # the first only looks, the second merges what has not changed since
PATIENCE = 600.0  # seconds
LOOKS = 0.5  # seconds between two looks
WATCHED = 30.0  # seconds over which ksmd's time is taken once nothing new is merged


def is_switchable() -> bool:
    return os.access(KSM / "run", os.W_OK)


async def measure() -> list[Measurement]:
    """Measure the memory of 200 numbers, then with ksmd running until it has merged all it can."""
    with TemporaryDirectory() as name:
        async with (
            running_sandbox() as sandbox,
            running_numbers(Path(name), sandbox, NUMBERS) as gateway,
        ):
            await asyncio.sleep(RESTING)
            plain = await _memory(gateway)
            return [
                Measurement("memory per number (PSS)", plain, "MB", at_most=9.5),
                *(await _merged(gateway) if is_switchable() else ()),
            ]


async def _merged(gateway: GatewayProgram) -> list[Measurement]:
    with _ksmd(EAGER):
        start = time.perf_counter()
        await _scans(SCANS)
        taken = time.perf_counter() - start
        merged = await _memory(gateway)
        _set(SETTLED)
        share = await _ksmd_share()
        settled = await _memory(gateway)
    return [
        Measurement("memory per number, pages merged (PSS)", settled, "MB", at_most=3.5),
        Measurement("  right after the eager scans", merged, "MB"),
        Measurement("  seconds of eager scanning until then", taken, "s"),
        Measurement("  ksmd once settled, of a core", share * 100, "%", at_most=3),
    ]


async def _memory(gateway: GatewayProgram) -> float:
    return memory_of_number(await by_part(gateway))


async def _scans(count: int) -> None:
    """Wait for complete scans of all offered pages that begin after now."""
    until = _read("full_scans") + count
    async with asyncio.timeout(PATIENCE):
        while True:
            if _read("full_scans") >= until:
                return
            await asyncio.sleep(LOOKS)


async def _ksmd_share() -> float:
    daemon = next(one for one in psutil.process_iter(["name"]) if one.name() == "ksmd")
    before, start = cpu_seconds(daemon), time.perf_counter()
    await asyncio.sleep(WATCHED)
    return (cpu_seconds(daemon) - before) / (time.perf_counter() - start)


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
