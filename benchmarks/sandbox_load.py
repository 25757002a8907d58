"""The capacity of the sandbox: 200 unmodified clients that write to each other."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from telethon import TelegramClient, events, functions
from telethon.crypto import rsa
from telethon.sessions import StringSession
from telethon.tl import types

from benchmarks.measurement import Measurement, p99
from benchmarks.programs.load import steadily
from benchmarks.programs.processes import cpu_seconds
from benchmarks.programs.sandbox import SandboxProgram, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS = 5
ACCOUNTS = 200
RATE = 500  # messages a second
DURATION = 10  # seconds
BURST = 5000  # messages
IN_FLIGHT = 100  # requests
CONNECTING = 20  # clients at a time
PATIENCE = 60  # seconds


@dataclass(slots=True)
class Run:
    """One exchange of messages: when each was sent and received."""

    sent: dict[str, float] = field(default_factory=dict)
    received: dict[str, float] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    expected: int = 0

    def record_arrival(self, text: str) -> None:
        self.received.setdefault(text, time.perf_counter())
        if len(self.received) == self.expected:
            self.complete.set()

    @property
    def seconds(self) -> float:
        return max(self.received.values()) - min(self.sent.values())

    def latencies(self) -> list[float]:
        """Return the milliseconds that each message took."""
        return [(at - self.sent[text]) * 1000 for text, at in self.received.items()]


@dataclass(slots=True)
class Writer:
    """A connected client, and the address that it writes to."""

    client: Any
    peer: Any

    async def write(self, run: Run, text: str) -> None:
        run.sent[text] = time.perf_counter()
        await self.client(functions.messages.SendMessageRequest(self.peer, text))


@dataclass(slots=True)
class Cost:
    """The CPU seconds of both processes during some time."""

    wall: float
    sandbox: float
    clients: float


async def measure() -> list[Measurement]:
    figures = [
        Measurement("start until READY, median of 5", await median_startup(), "s", at_most=1)
    ]
    async with running_sandbox() as sandbox:
        empty = sandbox.memory()
        start = time.perf_counter()
        async with connected_writers(sandbox) as writers:
            figures += [
                Measurement("accounts connected at once", len(writers), "", at_least=ACCOUNTS),
                Measurement("making, connecting them", time.perf_counter() - start, "s"),
                Measurement("memory before", empty, "MB"),
                Measurement("memory, all connected", sandbox.memory(), "MB"),
            ]
            figures += paced_measurements(*await exchange(sandbox, writers, paced))
            figures += burst_measurements(*await exchange(sandbox, writers, flat_out))
            return [*figures, Measurement("memory after all messages", sandbox.memory(), "MB")]


async def median_startup() -> float:
    taken = []
    for _ in range(STARTS):
        async with running_sandbox() as sandbox:
            taken.append(sandbox.startup)
    return statistics.median(taken)


@asynccontextmanager
async def connected_writers(sandbox: SandboxProgram) -> AsyncIterator[list[Writer]]:
    """Connect a client for each account; each two clients write to each other."""
    rsa.add_key(sandbox.public_key, old=False)
    async with httpx.AsyncClient(base_url=sandbox.http_url) as control:
        clients = [await make_client(control, number) for number in range(ACCOUNTS)]
    try:
        await at_most(CONNECTING, (client.connect for client in clients))
        yield [
            Writer(client, await client.get_input_entity(username(number ^ 1)))
            for number, client in enumerate(clients)
        ]
    finally:
        await asyncio.gather(*(client.disconnect() for client in clients))


async def make_client(control: httpx.AsyncClient, number: int) -> Any:
    phone = f"38050{number:07}"
    account = {"phone": phone, "first_name": str(number), "username": username(number)}
    (await control.post("/telegram/accounts", json=account)).raise_for_status()
    session = await control.post("/telegram/sessions", json={"phone": phone})
    return TelegramClient(StringSession(session.json()["string_session"]), 1, "x")


def username(number: int) -> str:
    return f"account{number:04}"


Exchange = Callable[[list[Writer], Run], Awaitable[None]]


async def exchange(
    sandbox: SandboxProgram, writers: list[Writer], how: Exchange
) -> tuple[Run, Cost]:
    """Write messages in the given way, and wait until the other sides have received all."""
    run, own = Run(), psutil.Process()

    async def receive(update: Any) -> None:
        if not update.message.out:
            run.record_arrival(update.message.message)

    for writer in writers:
        writer.client.add_event_handler(receive, events.Raw(types.UpdateNewMessage))
    start, sandbox_before, own_before = (
        time.perf_counter(),
        cpu_seconds(sandbox.process),
        cpu_seconds(own),
    )
    await how(writers, run)
    async with asyncio.timeout(PATIENCE):
        await run.complete.wait()
    wall = time.perf_counter() - start
    for writer in writers:
        writer.client.remove_event_handler(receive)
    return run, Cost(
        wall, cpu_seconds(sandbox.process) - sandbox_before, cpu_seconds(own) - own_before
    )


async def paced(writers: list[Writer], run: Run) -> None:
    """Write at a steady rate, independent of earlier messages."""
    run.expected = RATE * DURATION
    async with asyncio.TaskGroup() as tasks:
        async for number in steadily(RATE, DURATION):
            writer = writers[number % len(writers)]
            tasks.create_task(writer.write(run, f"paced {number}"))


async def flat_out(writers: list[Writer], run: Run) -> None:
    """Write as fast as answers arrive."""
    run.expected = BURST
    numbers: Iterator[int] = iter(range(BURST))

    async def write_on(places: Iterator[int]) -> None:
        for number in numbers:
            await writers[next(places) % len(writers)].write(run, f"burst {number}")

    places = count()
    await asyncio.gather(*(write_on(places) for _ in range(IN_FLIGHT)))


async def at_most(number: int, calls: Iterator[Callable[[], Awaitable[object]]]) -> None:
    async def work() -> None:
        for call in calls:
            await call()

    await asyncio.gather(*(work() for _ in range(number)))


def paced_measurements(run: Run, cost: Cost) -> list[Measurement]:
    latencies = run.latencies()
    wanted = f"at {RATE} messages/s"
    return [
        Measurement(
            f"{wanted}: received", len(latencies) / run.seconds, "messages/s", at_least=RATE * 0.99
        ),
        Measurement(f"{wanted}: sent to received, median", statistics.median(latencies), "ms"),
        Measurement(f"{wanted}: sent to received, p99", p99(latencies), "ms"),
        Measurement(f"{wanted}: sandbox", cost.sandbox / cost.wall * 100, "% of a core"),
        Measurement(f"{wanted}: 200 clients", cost.clients / cost.wall * 100, "% of a core"),
    ]


def burst_measurements(run: Run, cost: Cost) -> list[Measurement]:
    return [
        Measurement("flat out: received", BURST / run.seconds, "messages/s", at_least=RATE),
        Measurement("flat out: sandbox, per message", cost.sandbox / BURST * 1e6, "us"),
        Measurement("flat out: clients, per message", cost.clients / BURST * 1e6, "us"),
    ]
