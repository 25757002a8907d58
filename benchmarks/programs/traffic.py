"""Numbers in a gateway program, and the sandbox program that writes to them and measures."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.measurement import p99
from benchmarks.programs.load import connections, employee_form, steadily
from benchmarks.programs.numbers import bring_online, few_at_a_time, registration
from benchmarks.programs.sandbox import TOP, SandboxProgram

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Sequence

    from benchmarks.programs.gateway import GatewayProgram

LONGEST_ANSWER = 1 << 26  # bytes
PATIENCE = 60.0  # seconds for what has not arrived when a stretch ends
CALLERS = 32
SETTLING = 0.5  # seconds between two looks at what has come to Telegram


@dataclass(frozen=True, slots=True)
class Stretch:
    """The messages of one direction at a steady rate."""

    written: int
    in_time: int  # arrived before the stretch was over
    seconds: float
    delays: Sequence[float]  # milliseconds, of all that arrived in the end

    @property
    def median(self) -> float:
        return statistics.median(self.delays) if self.delays else 0.0

    @property
    def p99(self) -> float:
        return p99(self.delays) if self.delays else 0.0

    @property
    def lost(self) -> int:
        return self.written - len(self.delays)


@dataclass(slots=True)
class Traffic:
    """A running traffic sandbox with its numbers."""

    process: Process
    program: SandboxProgram
    tokens: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)

    async def order(self, **fields: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(fields).encode() + b"\n")
        answer = await self.process.stdout.readline()
        if not answer:
            raise RuntimeError("the sandbox has ended")
        return json.loads(answer)

    async def make(self, numbers: Sequence[str]) -> None:
        """Open accounts for numbers, each with a contact and a Planfix account of its own."""
        for number, made in (await self.order(open=list(numbers))).items():
            self.contacts[number] = made["contact"]
            self.drafts[number] = registration(number, made["session"], made["planfix"])

    async def register(self, gateway: GatewayProgram, numbers: Sequence[str]) -> None:
        """Bring numbers online, and let each contact write once, so that it can be answered."""

        async def post(number: str) -> None:
            self.tokens[number] = await bring_online(gateway, self.drafts[number])

        await few_at_a_time(post, numbers)
        hello = await self.write(numbers, rate=50.0, seconds=len(numbers) / 50)
        if hello.lost:
            raise RuntimeError(f"{hello.lost} numbers did not hear their contacts")

    async def write(
        self, numbers: Sequence[str], rate: float, seconds: float, patience: float = PATIENCE
    ) -> Stretch:
        """Write as the contacts at a steady rate, in turn."""
        fields = {"rate": rate, "seconds": seconds, "patience": patience}
        done = await self.order(write=list(numbers), **fields)
        return Stretch(done["count"], done["in_time"], done["seconds"], done["delays"])

    async def answer(
        self, gateway: GatewayProgram, numbers: Sequence[str], rate: float, seconds: float
    ) -> dict[str, float]:
        """Post employees' messages at a steady rate; return when each call was begun."""
        posted: dict[str, float] = {}
        url, start = f"{gateway.url}/webhook/message", time.perf_counter()
        places = asyncio.Semaphore(CALLERS)

        async def post(number: str, text: str) -> None:
            posted[text] = time.time()
            # The gateway closes what is idle for 5 s, so that at a low rate a kept connection would be gone.
            async with places, connections(url, 1) as (caller,):
                token, contact = self.tokens[number], self.contacts[number]
                await caller.post(employee_form(number, token, contact, text, text))

        async with asyncio.TaskGroup() as tasks:
            async for place in steadily(rate, seconds):
                tasks.create_task(post(numbers[place % len(numbers)], f"out {start} {place}"))
        return posted

    async def answered(
        self, numbers: Sequence[str], posted: dict[str, float], patience: float = PATIENCE
    ) -> Stretch:
        """Wait until the contacts have the posted messages."""
        ended = time.time()
        came: dict[str, float] = {}
        while len(came) < len(posted) and time.time() < ended + patience:
            came |= await self.order(came=list(numbers))
            await asyncio.sleep(SETTLING)
        seconds = max(posted.values()) - min(posted.values())
        last = max(posted.values())
        found = {text: at for text, at in came.items() if text in posted}
        delays = [(at - posted[text]) * 1000 for text, at in found.items()]
        return Stretch(len(posted), sum(at <= last for at in found.values()), seconds, delays)


@asynccontextmanager
async def running_traffic() -> AsyncIterator[Traffic]:
    """Start a traffic sandbox; it ends with its input."""
    with TemporaryDirectory() as folder:
        key = Path(folder, "key.pem")
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.programs.traffic_sandbox", str(key)),
            cwd=TOP,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_ANSWER,
        )
        try:
            assert process.stdout is not None
            said = json.loads(await process.stdout.readline())
            program = SandboxProgram(
                psutil.Process(process.pid),
                time.perf_counter() - started,
                said["host"],
                said["port"],
                said["http"],
                await asyncio.to_thread(key.read_text),
            )
            yield Traffic(process, program)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()
