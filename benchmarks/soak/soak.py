"""Thousands of messages in both directions, while workers and the whole gateway are killed at random."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from benchmarks.programs.connected_number import ConnectedNumber, Fleet
from benchmarks.programs.gateway import GatewayEnded, GatewayOptions, running_gateway
from benchmarks.programs.load import connections
from benchmarks.programs.sandbox import as_program
from benchmarks.soak.memory import Sample, report, sample_all_along, trends
from benchmarks.soak.reconciliation import Chat, Outcome, explain
from sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from benchmarks.programs.gateway import GatewayProgram

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
        self._all_is_written = asyncio.Event()
        self.samples: list[Sample] = []
        self.fleet: Fleet

    async def run(self, outcome: Outcome, numbers: int, rate: float) -> None:
        await self._start_gateway()
        self._chats = [Chat(await self.fleet.open()) for _ in range(numbers)]
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill_all_along(outcome))
            sampling = group.create_task(
                sample_all_along(lambda: self.fleet.gateway, self.samples, SAMPLING)
            )
            each = outcome.messages // (2 * numbers)
            pause = 2 * numbers / rate
            await asyncio.gather(
                *(self._contact_writes(chat, each, pause) for chat in self._chats),
                *(self._employee_writes(chat, each, pause) for chat in self._chats),
            )
            self._all_is_written.set()
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
                async with connections(f"{self.fleet.gateway.url}/webhook/message", 1) as (caller,):
                    await caller.post(line.form(text, message_id=text))
                return
            await asyncio.sleep(PAUSE)

    async def _kill_all_along(self, outcome: Outcome) -> None:
        """Kill a worker now and then, and more rarely the whole gateway; the last one is left running."""
        if self._is_calm:
            return
        next_gateway = time.perf_counter() + GATEWAY_DIES * self._chance.random()
        while not await self._is_over_within(2 * WORKER_DIES * self._chance.random()):
            if time.perf_counter() >= next_gateway:
                await self._kill_gateway()
                outcome.gateway_kills += 1
                # On a busy machine a start takes long, and a gateway must have time to work.
                life = max(GATEWAY_DIES, LIVES * self._start_took)
                next_gateway = time.perf_counter() + 2 * life * self._chance.random()
            elif await self._kill_worker():
                outcome.worker_kills += 1

    async def _is_over_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._all_is_written.wait()
        return self._all_is_written.is_set()

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
        """Restart numbers that were killed too often, as an operator does, unless the gateway is starting."""
        with suppress(httpx.HTTPError):
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
