"""What messages cost: how many are taken, how long each is on its way, how much memory a file takes."""

from __future__ import annotations

import asyncio
import gc
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

from benchmarks.figure import Figure
from benchmarks.form_load import connections, post_all
from benchmarks.gateway_program import free_port
from benchmarks.number_lines import running_town, until
from benchmarks.sandbox_program import TOP
from sandbox.planfix.attached_files import StoredFile
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile, send_files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from benchmarks.number_lines import ConnectedNumber, Fleet

CALLERS = 64
ROUNDS = 7
CALLS = 1500  # of each kind in a round
IDLE = 300  # messages, one after the other
IDLE_RATE = 20.0  # messages a second
OTHERS = 10  # numbers beside the flooded one
RATE = 50.0  # messages a second to all of them together
FLOOD = 150.0  # messages a second to the flooded number, more than it may hand on
STRETCH = 10.0  # seconds
FILE = 100 * 1024 * 1024  # bytes
DEADLINE = 60.0  # seconds


async def measure() -> list[Figure]:
    with TemporaryDirectory() as name:
        async with running_town(Path(name)) as town, running_echo() as echo:
            return [
                *await throughput(town, echo),
                *await idle(town),
                *await isolation(town),
                *await files(town),
            ]


async def throughput(town: Fleet, echo: str) -> list[Figure]:
    """Post the same forms to both; the number is off the line, so that only storing is measured."""
    line = await town.open()
    town.sandbox.data_centre.afflict(Kind.CUT, line.number, 600.0)
    ratios, rates = [], []
    for turn in range(-1, ROUNDS):
        bare = CALLS / await post_all(f"{echo}/webhook/message", _forms(line, turn), CALLERS)
        ours = CALLS / await post_all(f"{town.url}/webhook/message", _forms(line, turn), CALLERS)
        if turn >= 0:  # the first round warms both up
            ratios.append(ours / bare)
            rates.append(ours)
    town.sandbox.data_centre.clear_faults()
    await town.gateway.call("DELETE", "/webhook", {"name": "Romashka", "number": line.number})
    return [
        Figure("messages stored and answered", statistics.median(rates), "per s"),
        Figure("  against a bare route", statistics.median(ratios), "x", at_least=0.6),
    ]


async def idle(town: Fleet) -> list[Figure]:
    line = await town.open()
    outward = await _outward(town, line, IDLE)
    inward = await _inward([line], IDLE_RATE, IDLE / IDLE_RATE)
    return [
        *_latencies("accepted until in Telegram", outward, at_most=(15, 50)),
        *_latencies("Telegram until Planfix is called", inward, at_most=(15, 50)),
    ]


async def isolation(town: Fleet) -> list[Figure]:
    """Compare what others wait while a number is flooded with what they wait in quiet times."""
    flooded, others = await town.open(), [await town.open() for _ in range(OTHERS)]
    quiet, noisy = [], []
    gc.disable()  # the sandbox in this process would pause for 20 ms, which is not the gateway's
    for _ in range(2):
        quiet += await _inward(others, RATE, STRETCH)
        flood = asyncio.create_task(_flood(flooded))
        noisy += await _inward(others, RATE, STRETCH)
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
        await until(lambda: _has_all(flooded), 0.05)
    gc.enable()
    before, after = _p99(quiet), _p99(noisy)
    return [
        Figure("p99 of 10 numbers in quiet", before, "ms"),
        Figure("  while another is flooded", after, "ms"),
        Figure("  ratio", after / before, "x", at_most=1.5),
    ]


async def files(town: Fleet) -> list[Figure]:
    line = await town.open()
    worker = psutil.Process((await town.show(line))["worker"]["pid"])
    supervisor = town.gateway.family()[0]
    content = random.Random(7).randbytes(1024 * 1024) * (FILE // (1024 * 1024))
    inward = await _grown([worker, supervisor], _file_in(town, line, content))
    outward = await _grown([worker, supervisor], _file_out(town, line, content))
    names = ("worker", "supervisor")
    return [
        Figure(f"100 MB {way}, added memory of the {name}", added, "MB", at_most=16)
        for way, grown in (("into Planfix", inward), ("into Telegram", outward))
        for name, added in zip(names, grown, strict=True)
    ]


async def _outward(town: Fleet, line: ConnectedNumber, count: int) -> list[float]:
    """Let an employee write, each time the last has arrived; return the milliseconds they take."""
    taken = []
    async with connections(f"{town.url}/webhook/message", 1) as (caller,):
        for each in range(count):
            length = line.length
            await caller.post(line.form(f"idle {each}", f"idle{each}"))
            accepted = time.time()
            taken.append((await line.until_in_telegram(length + 1) - accepted) * 1000)
            await asyncio.sleep(1 / IDLE_RATE)
    return taken


async def _inward(lines: list[ConnectedNumber], rate: float, seconds: float) -> list[float]:
    """Let contacts write at a rate; return the milliseconds until Planfix was called."""
    written: dict[str, tuple[ConnectedNumber, float]] = {}
    start, place = time.perf_counter(), 0
    while (due := start + place / rate) < start + seconds:
        await asyncio.sleep(due - time.perf_counter())
        line, text = lines[place % len(lines)], f"{start} {place}"
        written[text] = line, line.write(text)
        place += 1
    last = {line.number: text for text, (line, _) in written.items()}
    await until(
        lambda: all(line.texts_of_planfix()[-1] == last[line.number] for line in lines), 0.05
    )
    posted = {line.number: line.posted_at() for line in lines}
    return [(posted[line.number][text] - at) * 1000 for text, (line, at) in written.items()]


async def _flood(line: ConnectedNumber) -> None:
    start, place = time.perf_counter(), 0
    while True:
        await asyncio.sleep(start + place / FLOOD - time.perf_counter())
        line.write(f"flood {start} {place}")
        place += 1


def _has_all(line: ConnectedNumber) -> bool:
    return len(line.texts_of_planfix()) >= len(line.me.box.conversation(line.contact.id).ids)


async def _file_in(town: Fleet, line: ConnectedNumber, content: bytes) -> None:
    known = len(line.planfix.journal.messages)
    centre = town.sandbox.data_centre
    file = OwnFile("film.bin", "application/octet-stream", content)
    await send_files(centre, (line.contact, line.me), [file])
    await until(lambda: len(line.planfix.journal.messages) > known, 0.05)
    (attachment,) = line.planfix.journal.messages[-1].attachments
    if attachment.sha256 != hashlib.sha256(content).hexdigest():
        raise RuntimeError(f"the file did not arrive: {attachment}")


async def _file_out(town: Fleet, line: ConnectedNumber, content: bytes) -> None:
    link = line.planfix.shelf.put(StoredFile("film.bin", content))
    attached = {"attachments[name]": "film.bin", "attachments[url]": link}
    length = line.length
    async with connections(f"{town.url}/webhook/message", 1) as (caller,):
        await caller.post(line.form("", "film", **attached))
    await line.until_in_telegram(length + 1)


async def _grown(processes: list[psutil.Process], work: Any) -> list[float]:
    """Return by how many MB each process grew at its worst while the work was done."""
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


def _latencies(name: str, taken: list[float], at_most: tuple[float, float]) -> Iterable[Figure]:
    yield Figure(f"{name}, median", statistics.median(taken), "ms", at_most=at_most[0])
    yield Figure(f"{name}, p99", _p99(taken), "ms", at_most=at_most[1])


def _p99(taken: list[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]


@asynccontextmanager
async def running_echo() -> AsyncIterator[str]:
    """Serve the bare route with the same server."""
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hypercorn", "--bind", address, "benchmarks.echo:create_app()"),
        cwd=TOP,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_listening(address)
        yield f"http://{address}"
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
