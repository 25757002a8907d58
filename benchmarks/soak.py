"""Thousands of messages both ways, with workers killed at random along with the whole gateway.

Run it as `python -m benchmarks.soak [MESSAGES]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx
import uvloop

from benchmarks.form_load import connections
from benchmarks.gateway_program import running_gateway
from benchmarks.line import Town, as_program, until
from sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from benchmarks.line import Line

MESSAGES = 10_000
NUMBERS = 20
RATE = 150.0  # messages a second in all
WORKER_DIES = 0.7  # seconds between two kills, seldom enough for no brake on restarts
GATEWAY_DIES = 12.0  # seconds between two kills
SETTLING = 120.0  # seconds for the rest to arrive
PAUSE = 0.05  # seconds until a call that was not answered is made again
REFUSED = (OSError, asyncio.IncompleteReadError, RuntimeError)


@dataclass(slots=True)
class Outcome:
    """What became of all messages."""

    messages: int
    worker_kills: int = 0
    gateway_kills: int = 0
    seconds: float = 0.0
    lost: int = 0
    twice_in_telegram: int = 0
    twice_in_planfix: int = 0
    out_of_order: int = 0
    without_status: int = 0

    @property
    def is_good(self) -> bool:
        """Planfix may get a message twice if the answer to the first call was lost."""
        bad = (self.lost, self.twice_in_telegram, self.out_of_order, self.without_status)
        return not any(bad)


@dataclass(slots=True)
class Chat:
    """One number with what was written in its chat, each way in order."""

    line: Line
    into_planfix: list[str] = field(default_factory=lambda: ["hello"])
    into_telegram: list[str] = field(default_factory=list)

    def judge(self, outcome: Outcome) -> None:
        in_planfix, in_telegram = self.line.texts_of_planfix(), self.line.texts_of_contact()
        outcome.twice_in_planfix += _twice(in_planfix)
        outcome.twice_in_telegram += _twice(in_telegram)
        told = {status.message_id for status in self.line.planfix.journal.statuses}
        outcome.without_status += len({*self.into_telegram} - told)
        for written, found in (
            (self.into_planfix, in_planfix),
            (self.into_telegram, in_telegram),
        ):
            once = list(dict.fromkeys(found))
            outcome.lost += len({*written} - {*once})
            places = [written.index(text) for text in once]
            outcome.out_of_order += sum(later < earlier for earlier, later in pairwise(places))

    @property
    def has_all(self) -> bool:
        told = {status.message_id for status in self.line.planfix.journal.statuses}
        return {*self.into_planfix} <= {*self.line.texts_of_planfix()} and {
            *self.into_telegram
        } <= told & {*self.line.texts_of_contact()}


class Soak:
    """Lets people write, kills processes, counts what arrives."""

    def __init__(self, sandbox: Sandbox, folder: Path, chance: random.Random) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._chance = chance
        self._life = AsyncExitStack()
        self._chats: list[Chat] = []
        self.town: Town

    async def run(self, outcome: Outcome, numbers: int, rate: float) -> None:
        await self._start_gateway()
        self._chats = [Chat(await self.town.open()) for _ in range(numbers)]
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(self._kill_all_along(outcome))
            each = outcome.messages // (2 * numbers)
            pause = 2 * numbers / rate
            await asyncio.gather(
                *(self._contact_writes(chat, each, pause) for chat in self._chats),
                *(self._employee_writes(chat, each, pause) for chat in self._chats),
            )
            killing.cancel()
        await self._settle()
        outcome.seconds = time.perf_counter() - began
        for chat in self._chats:
            chat.judge(outcome)

    async def close(self) -> None:
        await self._life.aclose()

    async def _settle(self) -> None:
        await self._revive_parked()
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLING):
                await until(lambda: all(chat.has_all for chat in self._chats), 0.2)

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

    async def _post_until_answered(self, line: Line, text: str) -> None:
        while True:
            with suppress(*REFUSED):
                async with connections(f"{self.town.url}/webhook/message", 1) as (caller,):
                    await caller.post(line.form(text, message_id=text))
                return
            await asyncio.sleep(PAUSE)

    async def _kill_all_along(self, outcome: Outcome) -> None:
        """Kill a worker now and then, more seldom everything."""
        next_gateway = time.perf_counter() + GATEWAY_DIES * self._chance.random()
        while True:
            await asyncio.sleep(2 * WORKER_DIES * self._chance.random())
            if time.perf_counter() >= next_gateway:
                await self._kill_gateway()
                outcome.gateway_kills += 1
                next_gateway = time.perf_counter() + 2 * GATEWAY_DIES * self._chance.random()
            elif await self._kill_worker():
                outcome.worker_kills += 1

    async def _kill_worker(self) -> bool:
        line = self._chance.choice(self._chats).line
        try:
            shown = await self.town.show(line)
        except httpx.HTTPError:
            return False
        if shown["state"] == "parked":
            await self.town.gateway.call("POST", f"/numbers/{line.number}/restart")
        if shown["worker"] is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(shown["worker"]["pid"], signal.SIGKILL)
        return True

    async def _revive_parked(self) -> None:
        """Do what an operator does for numbers that were killed too often."""
        for chat in self._chats:
            if (await self.town.show(chat.line))["state"] == "parked":
                await self.town.gateway.call("POST", f"/numbers/{chat.line.number}/restart")

    async def _kill_gateway(self) -> None:
        for process in self.town.gateway.family()[:2]:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        await self._life.aclose()
        await self._start_gateway()

    async def _start_gateway(self) -> None:
        program = running_gateway(self._folder, as_program(self._sandbox))
        gateway = await self._life.enter_async_context(program)
        await gateway.until_serving()
        self.town = Town(self._sandbox, gateway, self._folder / "data" / "sessions")


async def soak(
    messages: int, numbers: int = NUMBERS, rate: float = RATE, seed: int | None = None
) -> Outcome:
    outcome = Outcome(messages)
    with TemporaryDirectory() as name:
        async with Sandbox() as sandbox:
            work = Soak(sandbox, Path(name), random.Random(seed))
            try:
                await work.run(outcome, numbers, rate)
            finally:
                await work.close()
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("messages", nargs="?", type=int, default=MESSAGES)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    outcome = uvloop.run(soak(options.messages, seed=options.seed))
    for name, value in asdict(outcome).items():
        print(f"  {name.replace('_', ' '):20}  {value:>10,.6g}")
    sys.exit(not outcome.is_good)


def _twice(texts: list[str]) -> int:
    return sum(count - 1 for count in Counter(texts).values())


if __name__ == "__main__":
    main()
