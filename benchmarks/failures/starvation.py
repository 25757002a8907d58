"""The state of 100 numbers while sixteen busy loops compete for the processor, and how soon workers that hang are found."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.measurement import Measurement
from benchmarks.programs.gateway import GatewayOptions, running_gateway, until
from benchmarks.programs.numbers import is_online, shown_numbers, worker_of
from benchmarks.programs.processes import busy_loops
from benchmarks.programs.traffic import running_traffic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.programs.gateway import GatewayProgram
    from benchmarks.programs.traffic import Traffic

NUMBERS = [f"38051{number:07}" for number in range(100)]
LOOPS = 16
STARVED = 180.0  # seconds
EACH = 4  # hangs of each kind, one after the other
LIMIT = 4.0  # seconds
HANGS = {
    "stopped": signal.SIGSTOP,
    "in an endless loop": signal.SIGUSR1,
    "in a blocked call": signal.SIGUSR2,
}
RATE = 2.0  # messages a second in each direction, of all numbers together
STRETCH = 10.0  # seconds
PATIENCE = 300.0  # seconds for the messages that have not arrived when a stretch ends
GLANCE = 0.02  # seconds
HANGING = GatewayOptions(application="benchmarks.failures.hanging_gateway:create_app()")


@dataclass(slots=True)
class Account:
    """What became of the messages, and of the workers that no benchmark made hang."""

    lost: int = 0
    written: int = 0
    hangs: int = 0
    loads: list[float] = field(default_factory=list)


async def measure() -> list[Measurement]:
    account = Account()
    with TemporaryDirectory() as name:
        async with running_traffic() as traffic:
            await traffic.make(NUMBERS)
            async with running_gateway(Path(name), traffic.program, HANGING) as gateway:
                await gateway.until_serving()
                await traffic.register(gateway, NUMBERS)
                return await _measure(gateway, traffic, account)


async def _measure(
    gateway: GatewayProgram, traffic: Traffic, account: Account
) -> list[Measurement]:
    with busy_loops(LOOPS):
        async with _messages(gateway, traffic, account):
            await asyncio.sleep(STARVED)
            shown = await shown_numbers(gateway)
            beside = [await _hang(gateway, account, how) for how in HANGS]
    async with _messages(gateway, traffic, account):
        alone = [await _hang(gateway, account, how) for how in HANGS]
    restarts = sum(each["restarts"] for each in await shown_numbers(gateway)) - account.hangs
    offline = sum(not is_online(each) for each in shown)
    return [
        Measurement("healthy workers restarted in all", restarts, "", at_most=0),
        Measurement("numbers not online after 3 minutes", offline, "", at_most=0),
        *_found("beside the loops", beside),
        *_found("without them", alone),
        Measurement("messages written meanwhile", account.written, ""),
        Measurement("  of these lost", account.lost, "", at_most=0),
        Measurement("load at worst", max(account.loads), ""),
    ]


def _found(when: str, seconds: list[float]) -> list[Measurement]:
    return [
        Measurement(f"a worker {how} is gone, {when}, at worst", taken, "s", at_most=LIMIT)
        for how, taken in zip(HANGS, seconds, strict=True)
    ]


@asynccontextmanager
async def _messages(
    gateway: GatewayProgram, traffic: Traffic, account: Account
) -> AsyncIterator[None]:
    """Let messages flow both ways, then wait until all have arrived."""
    over = asyncio.Event()
    writing = asyncio.create_task(_write(gateway, traffic, account, over))
    try:
        yield
        over.set()
        await writing
    finally:
        writing.cancel()


async def _write(
    gateway: GatewayProgram, traffic: Traffic, account: Account, over: asyncio.Event
) -> None:
    posted: dict[str, float] = {}
    while not over.is_set():
        heard, called = await asyncio.gather(
            traffic.write(NUMBERS, RATE, STRETCH, PATIENCE),
            traffic.answer(gateway, NUMBERS, RATE, STRETCH),
        )
        account.written += heard.written
        account.lost += heard.lost
        posted |= called
        account.loads.append(os.getloadavg()[0])
    answered = await traffic.answered(NUMBERS, posted, PATIENCE)
    account.written += answered.written
    account.lost += answered.lost


async def _hang(gateway: GatewayProgram, account: Account, how: str) -> float:
    """Return the seconds until a worker that hangs is gone, the longest of some."""
    return max([await _hang_one(gateway, account, HANGS[how]) for _ in range(EACH)])


async def _hang_one(gateway: GatewayProgram, account: Account, how: signal.Signals) -> float:
    await asyncio.sleep(random.random())
    number = random.choice(NUMBERS)
    pid = await worker_of(gateway, number)
    start = time.perf_counter()
    os.kill(pid, how)
    account.hangs += 1

    async def is_gone() -> bool:
        return not psutil.pid_exists(pid)

    await until(is_gone, GLANCE)
    taken = time.perf_counter() - start

    async def is_back() -> bool:
        return is_online(await gateway.call("GET", f"/numbers/{number}"))

    await until(is_back, GLANCE)
    return taken
