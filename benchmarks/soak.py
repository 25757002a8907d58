"""Thousands of messages in both directions, while workers and the whole gateway are killed at random.

Run it as `python -m benchmarks.soak [MESSAGES]`; `--minutes 60 --busy 4` repeats it for an hour under load.
With `--calm` nothing is killed and one gateway runs all the time, to see whether anything grows.
With `--postgresql` the gateway uses a PostgreSQL server that is started for it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx
import uvloop

from benchmarks.form_load import connections
from benchmarks.gateway_program import GatewayEnded, GatewayOptions, running_gateway
from benchmarks.number_lines import ConnectedNumber, Fleet, as_program
from benchmarks.soak_memory import Sample, report, sample_all_along, trends
from benchmarks.soak_reconciliation import Chat, Outcome, explain
from sandbox.sandbox import Sandbox
from tests.support.databases import running_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.gateway_program import GatewayProgram

MESSAGES = 10_000
NUMBERS = 20
RATE = 150.0  # messages a second in all
WORKER_DIES = 0.7  # seconds between two kills, rare enough that restarts are not slowed down
GATEWAY_DIES = 12.0  # seconds between two kills
SETTLING = 120.0  # seconds in which nothing arrives, after which the rest counts as lost
LIVES = 3  # times as long as the last start took, a gateway may work before it is killed
GLANCE = 0.5  # seconds between two looks at what has arrived
SAMPLING = 2.0  # seconds between two measurements of memory and files
PAUSE = 0.05  # seconds until a call that was not answered is made again
LOG = "gateway.log"
REFUSED = (OSError, asyncio.IncompleteReadError, RuntimeError)


class Soak:
    """Writes messages, kills processes and counts what arrives."""

    def __init__(
        self,
        sandbox: Sandbox,
        folder: Path,
        chance: random.Random,
        database: str | None = None,
        *,
        is_calm: bool = False,
    ) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._chance = chance
        self._database = database
        self._start_took = 0.0
        self._life = AsyncExitStack()
        self._chats: list[Chat] = []
        self._is_calm = is_calm
        self.samples: list[Sample] = []
        self.fleet: Fleet

    async def run(self, outcome: Outcome, numbers: int, rate: float) -> None:
        await self._start_gateway()
        self._chats = [Chat(await self.fleet.open()) for _ in range(numbers)]
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(self._kill_all_along(outcome))
            sampling = group.create_task(
                sample_all_along(lambda: self.fleet.gateway, self.samples, SAMPLING)
            )
            each = outcome.messages // (2 * numbers)
            pause = 2 * numbers / rate
            await asyncio.gather(
                *(self._contact_writes(chat, each, pause) for chat in self._chats),
                *(self._employee_writes(chat, each, pause) for chat in self._chats),
            )
            killing.cancel()
            sampling.cancel()
        await self._wait_until_delivered()
        outcome.seconds = time.perf_counter() - began
        for chat in self._chats:
            chat.judge(outcome)
        if not outcome.is_good:
            log = await asyncio.to_thread((self._folder / LOG).read_text, errors="replace")
            for line in await explain(self._chats, self.fleet.gateway, log):
                print(line, flush=True)

    async def close(self) -> None:
        await self._life.aclose()

    async def _wait_until_delivered(self) -> None:
        """Wait for the messages under way while any arrive, and restart numbers that are parked."""
        fewest, since = sum(chat.missing for chat in self._chats), time.monotonic()
        while fewest and time.monotonic() < since + SETTLING:
            await self._revive_parked()
            await asyncio.sleep(GLANCE)
            if (missing := sum(chat.missing for chat in self._chats)) < fewest:
                fewest, since = missing, time.monotonic()

    async def _contact_writes(self, chat: Chat, count: int, pause: float) -> None:
        for place in range(count):
            await asyncio.sleep(pause * 2 * self._chance.random())
            text = f"in {place}"
            chat.line.write(text)
            chat.into_planfix.append(text)

    async def _employee_writes(self, chat: Chat, count: int, pause: float) -> None:
        for place in range(count):
            await asyncio.sleep(pause * 2 * self._chance.random())
            text = f"out {place}"
            await self._post_until_answered(chat.line, text)
            chat.into_telegram.append(text)

    async def _post_until_answered(self, line: ConnectedNumber, text: str) -> None:
        while True:
            with suppress(*REFUSED):
                async with connections(f"{self.fleet.url}/webhook/message", 1) as (caller,):
                    await caller.post(line.form(text, message_id=text))
                return
            await asyncio.sleep(PAUSE)

    async def _kill_all_along(self, outcome: Outcome) -> None:
        """Kill a worker now and then, and more rarely the whole gateway."""
        if self._is_calm:
            return
        next_gateway = time.perf_counter() + GATEWAY_DIES * self._chance.random()
        while True:
            await asyncio.sleep(2 * WORKER_DIES * self._chance.random())
            if time.perf_counter() >= next_gateway:
                await self._kill_gateway()
                outcome.gateway_kills += 1
                # On a busy machine a start takes long, and a gateway must have time to work.
                life = max(GATEWAY_DIES, LIVES * self._start_took)
                next_gateway = time.perf_counter() + 2 * life * self._chance.random()
            elif await self._kill_worker():
                outcome.worker_kills += 1

    async def _kill_worker(self) -> bool:
        line = self._chance.choice(self._chats).line
        try:
            shown = await self.fleet.show(line)
        except httpx.HTTPError:
            return False
        if shown["state"] == "parked":
            await self.fleet.gateway.call("POST", f"/numbers/{line.number}/restart")
        if shown["worker"] is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(shown["worker"]["pid"], signal.SIGKILL)
        return True

    async def _revive_parked(self) -> None:
        """Restart numbers that were killed too often, as an operator does."""
        for chat in self._chats:
            if (await self.fleet.show(chat.line))["state"] == "parked":
                await self.fleet.gateway.call("POST", f"/numbers/{chat.line.number}/restart")

    async def _kill_gateway(self) -> None:
        self.fleet.gateway.process.kill()
        await self._life.aclose()
        await self._start_gateway()

    async def _start_gateway(self) -> None:
        """Start it, on another port if a program has taken the free one before it."""
        try:
            gateway = await self._try_to_start()
        except GatewayEnded as ended:
            log = await asyncio.to_thread((self._folder / LOG).read_text, errors="replace")
            print(f"{ended}; its log ends with: {log[-500:]}", flush=True)
            await self._life.aclose()
            gateway = await self._try_to_start()
        self._start_took = time.perf_counter() - gateway.started
        self.fleet = Fleet(self._sandbox, gateway)

    async def _try_to_start(self) -> GatewayProgram:
        options = GatewayOptions(log=self._folder / LOG, database=self._database)
        program = running_gateway(self._folder, as_program(self._sandbox), options)
        gateway = await self._life.enter_async_context(program)
        await gateway.until_serving()
        return gateway


async def soak(
    messages: int,
    numbers: int = NUMBERS,
    rate: float = RATE,
    seed: int | None = None,
    database: str | None = None,
    *,
    is_calm: bool = False,
) -> Outcome:
    outcome = Outcome(messages)
    with TemporaryDirectory() as name:
        async with Sandbox() as sandbox:
            work = Soak(sandbox, Path(name), random.Random(seed), database, is_calm=is_calm)
            try:
                await work.run(outcome, numbers, rate)
            finally:
                await work.close()
    for line in report(work.samples):
        print(line, flush=True)
    outcome.growing = sum(is_calm and not trend.is_flat for trend in trends(work.samples))
    return outcome


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("messages", nargs="?", type=int, default=MESSAGES)
    parser.add_argument("--numbers", type=int, default=NUMBERS)
    parser.add_argument("--rate", type=float, default=RATE, help="messages a second in all")
    parser.add_argument("--seed", type=int, help="of the first run; random without it")
    parser.add_argument("--minutes", type=float, default=0.0, help="repeat for so long")
    parser.add_argument("--busy", type=int, default=0, help="busy loops beside it")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--calm", action="store_true", help="kill nothing, and let nothing grow")
    options = parser.parse_args()
    if options.calm:
        options.messages = max(options.messages, int(60 * options.minutes * options.rate))
    seeds = itertools.count(options.seed or random.SystemRandom().getrandbits(32))
    end = time.monotonic() + 60 * options.minutes
    with busy_loops(options.busy):
        is_good = _run_once(options, next(seeds))
        while is_good and time.monotonic() < end:
            is_good = _run_once(options, next(seeds))
    sys.exit(not is_good)


def _run_once(options: argparse.Namespace, seed: int) -> bool:
    print(f"seed {seed}", flush=True)
    size = (options.messages, options.numbers, options.rate)
    with _database(is_postgresql=options.postgresql) as database:
        outcome = uvloop.run(soak(*size, seed, database, is_calm=options.calm))
    for name, value in asdict(outcome).items():
        print(f"  {name.replace('_', ' '):20}  {value:>10,.6g}", flush=True)
    return outcome.is_good


@contextmanager
def _database(*, is_postgresql: bool) -> Iterator[str | None]:
    """Make an empty PostgreSQL database if it is wanted; without one the gateway uses SQLite."""
    if not is_postgresql:
        yield None
        return
    with running_postgres() as postgres, postgres.fresh_database() as url:
        yield url


if __name__ == "__main__":
    main()
