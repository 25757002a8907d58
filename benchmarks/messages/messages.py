"""What messages cost: the throughput, the delay of each message, and the memory for a file."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import statistics
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.alternatives.environment import REQUIREMENTS, programs
from benchmarks.measurement import Measurement, p99
from benchmarks.programs.connected_number import running_fleet, until
from benchmarks.programs.gateway import free_port
from benchmarks.programs.load import connections, post_all, steadily
from benchmarks.programs.sandbox import TOP
from sandbox.planfix.attached_files import StoredFile
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile, send_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from benchmarks.programs.connected_number import ConnectedNumber, Fleet

CALLERS = 64
ROUNDS = 7
CALLS = 1500  # of each kind in a round
IDLE = 300  # messages, one after the other
IDLE_RATE = 20.0  # messages a second
FILE = 100 * 1024 * 1024  # bytes
DEADLINE = 60.0  # seconds


async def measure() -> list[Measurement]:
    with TemporaryDirectory() as name:
        async with (
            running_fleet(Path(name)) as fleet,
            running_echo() as echo,
            running_flask(await programs()) as flask,
        ):
            return [
                *await throughput(fleet, echo, flask),
                *await idle(fleet),
                *await files(fleet),
            ]


async def throughput(fleet: Fleet, echo: str, flask: str) -> list[Measurement]:
    """Post the same forms to all; the number is offline, so that only storing is measured."""
    line = await fleet.open()
    fleet.sandbox.data_centre.afflict(Kind.CUT, line.number, 600.0)
    to_echo, to_flask, rates = [], [], []
    for turn in range(-1, ROUNDS):
        bare, ours, seed = [
            CALLS / await post_all(f"{url}/webhook/message", _forms(line, turn), CALLERS)
            for url in (echo, fleet.gateway.url, flask)
        ]
        if turn >= 0:  # the first round warms all up
            to_echo.append(ours / bare)
            to_flask.append(ours / seed)
            rates.append(ours)
    fleet.sandbox.data_centre.clear_faults()
    await fleet.gateway.call("DELETE", "/webhook", {"name": "Romashka", "number": line.number})
    return [
        Measurement("messages stored and answered", statistics.median(rates), "per s"),
        Measurement("  against a bare route", statistics.median(to_echo), "x", at_least=0.75),
        Measurement(
            "  against Flask under uvicorn, which stores nothing",
            statistics.median(to_flask),
            "x",
            at_least=1,
        ),
    ]


async def idle(fleet: Fleet) -> list[Measurement]:
    line = await fleet.open()
    to_telegram = await _delays_to_telegram(fleet, line, IDLE)
    to_planfix = await _delays_to_planfix([line], IDLE_RATE, IDLE / IDLE_RATE)
    return [
        *_latencies("accepted until in Telegram", to_telegram, at_most=(15, 50)),
        *_latencies("Telegram until Planfix is called", to_planfix, at_most=(15, 50)),
    ]


async def files(fleet: Fleet) -> list[Measurement]:
    line = await fleet.open()
    worker = psutil.Process((await fleet.show(line))["worker"]["pid"])
    supervisor = fleet.gateway.family()[0]
    content = random.Random(7).randbytes(1024 * 1024) * (FILE // (1024 * 1024))
    to_planfix = await _grown([worker, supervisor], _file_in(fleet, line, content))
    to_telegram = await _grown([worker, supervisor], _file_out(fleet, line, content))
    names = ("worker", "supervisor")
    return [
        Measurement(f"100 MB {way}, added memory of the {name}", added, "MB", at_most=16)
        for way, grown in (("into Planfix", to_planfix), ("into Telegram", to_telegram))
        for name, added in zip(names, grown, strict=True)
    ]


async def _delays_to_telegram(fleet: Fleet, line: ConnectedNumber, count: int) -> list[float]:
    """Write as an employee, each time after the last message has arrived; return the milliseconds."""
    taken = []
    async with connections(f"{fleet.gateway.url}/webhook/message", 1) as (caller,):
        for each in range(count):
            length = line.length
            await caller.post(line.form(f"idle {each}", f"idle{each}"))
            accepted = time.time()
            taken.append((await line.until_in_telegram(length + 1) - accepted) * 1000)
            await asyncio.sleep(1 / IDLE_RATE)
    return taken


async def _delays_to_planfix(
    lines: list[ConnectedNumber], rate: float, seconds: float
) -> list[float]:
    """Write as contacts at a steady rate; return the milliseconds until Planfix was called."""
    written: dict[str, tuple[ConnectedNumber, float]] = {}
    async for place in steadily(rate, seconds):
        line, text = lines[place % len(lines)], f"steady {place}"
        written[text] = line, line.write(text)
    last = {line.number: text for text, (line, _) in written.items()}
    await until(
        lambda: all(line.texts_of_planfix()[-1] == last[line.number] for line in lines), 0.05
    )
    posted = {line.number: line.posted_at() for line in lines}
    return [(posted[line.number][text] - at) * 1000 for text, (line, at) in written.items()]


async def _file_in(fleet: Fleet, line: ConnectedNumber, content: bytes) -> None:
    known = len(line.planfix.journal.messages)
    centre = fleet.sandbox.data_centre
    file = OwnFile("film.bin", "application/octet-stream", content)
    await send_files(centre, (line.contact, line.me), [file])
    await until(lambda: len(line.planfix.journal.messages) > known, 0.05)
    (attachment,) = line.planfix.journal.messages[-1].attachments
    if attachment.sha256 != hashlib.sha256(content).hexdigest():
        raise RuntimeError(f"the file did not arrive: {attachment}")


async def _file_out(fleet: Fleet, line: ConnectedNumber, content: bytes) -> None:
    link = line.planfix.offered.put(StoredFile("film.bin", content))
    attached = {"attachments[name]": "film.bin", "attachments[url]": link}
    length = line.length
    async with connections(f"{fleet.gateway.url}/webhook/message", 1) as (caller,):
        await caller.post(line.form("", "film", **attached))
    await line.until_in_telegram(length + 1)


async def _grown(processes: list[psutil.Process], work: Any) -> list[float]:
    """Return by how many MB each process grew at most during the work."""
    before = []
    for process in processes:
        _proc(process, "clear_refs").write_text("5")
        before.append(_memory(process, "VmRSS"))
    await work
    return [
        max(0.0, _memory(process, "VmHWM") - was)
        for process, was in zip(processes, before, strict=True)
    ]


def _memory(process: psutil.Process, name: str) -> float:
    found = re.search(rf"{name}:\s+(\d+) kB", _proc(process, "status").read_text())
    if found is None:
        raise RuntimeError(f"the kernel does not tell {name}")
    return int(found[1]) / 1024


def _proc(process: psutil.Process, name: str) -> Path:
    return Path(f"/proc/{process.pid}/{name}")


def _forms(line: ConnectedNumber, turn: int) -> Iterator[dict[str, str]]:
    return (line.form(f"message {each}", f"{turn}.{each}") for each in range(CALLS))


def _latencies(
    name: str, taken: list[float], at_most: tuple[float, float]
) -> Iterable[Measurement]:
    yield Measurement(f"{name}, median", statistics.median(taken), "ms", at_most=at_most[0])
    yield Measurement(f"{name}, p99", p99(taken), "ms", at_most=at_most[1])


@asynccontextmanager
async def running_echo() -> AsyncIterator[str]:
    """Serve the bare route with the same server program."""
    address = f"127.0.0.1:{free_port()}"
    command = (sys.executable, "-m", "hypercorn", "--bind", address)
    async with _serving(address, *command, "benchmarks.messages.echo:create_app()"):
        yield f"http://{address}"


@asynccontextmanager
async def running_flask(folder: Path) -> AsyncIterator[str]:
    """Serve the webhook as the seed does."""
    port = f"{free_port()}"
    # In the context of the last request of its connection, asgiref refuses the next one.
    quiet = ("--no-access-log", "--log-level", "error", "--reset-contextvars")
    command = (str(folder / "uvicorn"), "--port", port, *quiet)
    place = ("--app-dir", str(REQUIREMENTS.parent))
    async with _serving(f"127.0.0.1:{port}", *command, *place, "flask_webhook:application"):
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _serving(address: str, *command: str) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=TOP, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await _until_listening(address)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _until_listening(address: str) -> None:
    host, _, port = address.partition(":")
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
