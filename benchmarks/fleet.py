"""What 200 numbers cost: the memory, and the time to start, restart and stop them."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from benchmarks.gateway_program import CLIENT, running_gateway, until
from benchmarks.measurement import Measurement
from benchmarks.sandbox_program import running_sandbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from benchmarks.gateway_program import GatewayProgram
    from benchmarks.sandbox_program import SandboxProgram

NUMBERS = [f"38050{number:07}" for number in range(200)]
KILLED = NUMBERS[:: len(NUMBERS) // 40]
REGISTERING = 20  # calls at a time
LOOKS = 0.05  # seconds between two looks at a start
GLANCES = 0.002  # seconds between two looks at one number
SETTLING = 20.0  # seconds: the workers send heartbeats, measure themselves and store their state


async def measure() -> list[Measurement]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with running_sandbox() as sandbox:
            sessions = await make_sessions(sandbox, NUMBERS)
            async with running_gateway(folder, sandbox) as first:
                await register(first, sandbox, sessions)
                ending = await first.terminate()
            async with running_gateway(folder, sandbox) as second:
                return [
                    *await starting(second, sandbox),
                    *await resting(second),
                    *await killing(second),
                    Measurement("orderly stop of all 200", await stopping(second), "s"),
                    Measurement(
                        "SIGTERM of the gateway until all is gone", ending, "s", at_most=10
                    ),
                ]


async def make_sessions(sandbox: SandboxProgram, numbers: Iterable[str]) -> dict[str, str]:
    """Open an account for each number; return their sessions as text."""
    sessions: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=sandbox.http_url, trust_env=False) as control:
        for number in numbers:
            account = {"phone": number, "first_name": number}
            (await control.post("/telegram/accounts", json=account)).raise_for_status()
            made = await control.post("/telegram/sessions", json={"phone": number})
            sessions[number] = made.json()["string_session"]
    return sessions


async def register(
    gateway: GatewayProgram, sandbox: SandboxProgram, sessions: Mapping[str, str]
) -> None:
    """Bring all numbers online by the webhook, as clients do."""

    async def post(number: str) -> None:
        body = {
            "name": CLIENT,
            "number": number,
            "url_planfix": f"{sandbox.http_url}/planfix/romashka/webchat/api",
            "token_planfix": "planfix-token",
            "string_session": sessions[number],
        }
        await gateway.call("POST", "/webhook?wait=60", body)

    await gateway.until_serving()
    await few_at_a_time(post, sessions)
    await until_online(gateway, max(sessions))


async def starting(gateway: GatewayProgram, sandbox: SandboxProgram) -> list[Measurement]:
    """Wait until the numbers in the database run again."""
    sandbox_before = sandbox.cpu_seconds()
    await gateway.until_serving()
    serving = time.perf_counter() - gateway.started
    await until_online(gateway)
    wall, each = time.perf_counter() - gateway.started, 1000 / len(NUMBERS)
    used = {name: cpu * each for name, cpu in (await cpu_by_part(gateway)).items()}
    used["sandbox"] = (sandbox.cpu_seconds() - sandbox_before) * each
    return [
        Measurement("from start until it serves", serving, "s"),
        Measurement("from start until 200 are online, per number", wall * each, "ms", at_most=30),
        *(Measurement(f"  CPU of it: {name}", cpu, "ms") for name, cpu in used.items()),
    ]


async def resting(gateway: GatewayProgram) -> list[Measurement]:
    """Measure the memory of the processes once they are idle."""
    await asyncio.sleep(SETTLING)
    parts = {name: [pss(one) for one in them] for name, them in (await by_part(gateway)).items()}
    workers = parts["workers"]
    whole = sum(workers) + sum(parts["forkserver"])
    return [
        Measurement("memory per number (PSS)", whole / len(workers), "MB", at_most=10),
        Measurement("  largest worker", max(workers), "MB"),
        Measurement("memory of the gateway beside them (PSS)", sum(parts["gateway"]), "MB"),
    ]


async def killing(gateway: GatewayProgram) -> list[Measurement]:
    taken = sorted([await restart_by_kill(gateway, number) for number in KILLED])
    return [
        Measurement("kill -9 until online, median", statistics.median(taken), "ms", at_most=150),
        Measurement("kill -9 until online, p99", taken[len(taken) * 99 // 100], "ms"),
    ]


async def restart_by_kill(gateway: GatewayProgram, number: str) -> float:
    """Return the milliseconds from the kill until the number's next worker is online."""
    pid = (await gateway.call("GET", f"/numbers/{number}"))["worker"]["pid"]
    start = time.perf_counter()
    os.kill(pid, signal.SIGKILL)

    async def is_back() -> bool:
        shown = await gateway.call("GET", f"/numbers/{number}")
        return is_online(shown) and shown["worker"]["pid"] != pid

    await until(is_back, GLANCES)
    return (time.perf_counter() - start) * 1000


async def stopping(gateway: GatewayProgram) -> float:
    """Stop every number by the webhook; return the seconds it takes."""

    async def delete(number: str) -> None:
        await gateway.call("DELETE", "/webhook", {"name": CLIENT, "number": number})

    start = time.perf_counter()
    await few_at_a_time(delete, NUMBERS)
    return time.perf_counter() - start


async def until_online(gateway: GatewayProgram, last: str = NUMBERS[-1]) -> None:
    async def last_is_online() -> bool:
        return is_online(await gateway.call("GET", f"/numbers/{last}"))

    async def are_online() -> bool:
        return all(map(is_online, await shown_numbers(gateway)))

    # Asking about all numbers is expensive, so it starts when they are probably online.
    await until(last_is_online, LOOKS)
    await until(are_online, LOOKS)


def is_online(shown: dict[str, Any]) -> bool:
    return shown["state"] == "online" and shown["worker"] is not None


async def few_at_a_time(call: Callable[[str], Awaitable[None]], numbers: Iterable[str]) -> None:
    places = asyncio.Semaphore(REGISTERING)

    async def in_place(number: str) -> None:
        async with places:
            await call(number)

    await asyncio.gather(*map(in_place, numbers))


async def shown_numbers(gateway: GatewayProgram) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = (await gateway.call("GET", "/numbers"))["numbers"]
    return shown


async def by_part(gateway: GatewayProgram) -> dict[str, list[psutil.Process]]:
    """Group the processes by their purpose."""
    pids = {shown["worker"]["pid"] for shown in await shown_numbers(gateway) if shown["worker"]}
    workers = [psutil.Process(pid) for pid in pids]
    forkserver = workers[0].parent()
    assert forkserver is not None
    rest = [one for one in gateway.family() if one.pid not in pids and one != forkserver]
    return {"gateway": rest, "forkserver": [forkserver], "workers": workers}


async def cpu_by_part(gateway: GatewayProgram) -> dict[str, float]:
    """Return the CPU seconds that each part has used since it was started."""
    parts = await by_part(gateway)
    return {
        name: sum(times.user + times.system for times in (one.cpu_times() for one in processes))
        for name, processes in parts.items()
    }


def pss(process: psutil.Process) -> float:
    """Return the memory in MB; shared memory counts by this process's share."""
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the kernel tells nothing of process {process.pid}")
