"""Brings numbers online in a gateway program, as clients do, and looks at their state."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.programs.gateway import CLIENT, running_gateway, until
from benchmarks.programs.sandbox import PLANFIX_TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from pathlib import Path

    from benchmarks.programs.gateway import GatewayProgram
    from benchmarks.programs.sandbox import SandboxProgram

ACCOUNT = "romashka"  # in Planfix
AT_ONCE = 20  # calls
STARTING = 60.0  # seconds; the call waits no longer
LOOKS = 0.05  # seconds between two looks at a start
GLANCES = 0.002  # seconds between two looks at one number


@asynccontextmanager
async def running_numbers(
    folder: Path, sandbox: SandboxProgram, numbers: Sequence[str]
) -> AsyncIterator[GatewayProgram]:
    """Run a gateway in which all these new numbers are online."""
    async with running_gateway(folder, sandbox) as gateway:
        await register(gateway, sandbox, numbers)
        yield gateway


async def register(
    gateway: GatewayProgram, sandbox: SandboxProgram, numbers: Sequence[str]
) -> None:
    """Open an account for each number, and bring all of them online by the webhook."""
    sessions = await _make_sessions(sandbox, numbers)
    account = f"{sandbox.http_url}/planfix/{ACCOUNT}"

    async def post(number: str) -> None:
        await bring_online(gateway, registration(number, sessions[number], account))

    await gateway.until_serving()
    await few_at_a_time(post, numbers)
    await until_online(gateway, max(numbers))


async def _make_sessions(sandbox: SandboxProgram, numbers: Iterable[str]) -> dict[str, str]:
    """Return the session of each number as text."""
    sessions: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=sandbox.http_url, trust_env=False) as control:
        for number in numbers:
            account = {"phone": number, "first_name": number}
            (await control.post("/telegram/accounts", json=account)).raise_for_status()
            made = await control.post("/telegram/sessions", json={"phone": number})
            sessions[number] = made.json()["string_session"]
    return sessions


def registration(number: str, session: str, account: str) -> dict[str, str]:
    """Make what a client posts to bring a number online; the account is the address of its Planfix."""
    return {
        "name": CLIENT,
        "number": number,
        "url_planfix": f"{account}/webchat/api",
        "token_planfix": PLANFIX_TOKEN,
        "string_session": session,
    }


async def bring_online(gateway: GatewayProgram, body: dict[str, str]) -> str:
    """Register a number; return the token with which Planfix calls about it."""
    # What is written before a new number is online is not delivered, and on a busy machine that
    # takes longer than the call waits by itself.
    made = await gateway.call("POST", f"/webhook?wait={STARTING:g}", body)
    return str(made["token"])


async def few_at_a_time(call: Callable[[str], Awaitable[None]], numbers: Iterable[str]) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def in_place(number: str) -> None:
        async with places:
            await call(number)

    await asyncio.gather(*map(in_place, numbers))


async def until_online(gateway: GatewayProgram, last: str) -> None:
    async def last_is_online() -> bool:
        return is_online(await gateway.call("GET", f"/numbers/{last}"))

    async def are_online() -> bool:
        return all(map(is_online, await shown_numbers(gateway)))

    # Asking about all numbers is expensive, so it starts when they are probably online.
    await until(last_is_online, LOOKS)
    await until(are_online, LOOKS)


async def restart_by_kill(gateway: GatewayProgram, number: str) -> float:
    """Return the milliseconds from the kill until the number's next worker is online."""
    pid = await worker_of(gateway, number)
    start = time.perf_counter()
    os.kill(pid, signal.SIGKILL)

    async def is_back() -> bool:
        shown = await gateway.call("GET", f"/numbers/{number}")
        return is_online(shown) and shown["worker"]["pid"] != pid

    await until(is_back, GLANCES)
    return (time.perf_counter() - start) * 1000


async def worker_of(gateway: GatewayProgram, number: str) -> int:
    """Return the process id of the number's worker."""
    return int((await gateway.call("GET", f"/numbers/{number}"))["worker"]["pid"])


async def shown_numbers(gateway: GatewayProgram) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = (await gateway.call("GET", "/numbers"))["numbers"]
    return shown


def is_online(shown: dict[str, Any]) -> bool:
    return shown["state"] == "online" and shown["worker"] is not None
