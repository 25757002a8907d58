"""Notifications of one bot: how fast calls are stored, a bulk during kills, a single message beside it.

`python -m benchmarks.notifications 10000 1000` sends 10 000 messages to 1 000 people.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import signal
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import uvloop

from benchmarks.measurement import Measurement, table
from benchmarks.programs.gateway import CLIENT, running_gateway, until
from benchmarks.programs.load import post_all
from benchmarks.programs.sandbox import as_program
from sandbox.sandbox import Sandbox
from sandbox.telegram.chats.message_actions import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.programs.gateway import GatewayProgram
    from sandbox.telegram.accounts.accounts import Account as Person

MESSAGES, PEOPLE = 600, 200
CALLS, CALLERS = 1500, 32
MOST_AT_ONCE = 1000  # recipients of one call
SINGLE_EVERY = 2.0  # seconds
LONGEST = 60.0  # seconds beyond what the limits take
FIRST_PHONE = 380_990_000_000
GLANCE = 0.005  # seconds
Stamp = tuple[float, int, str]
"""When a message came to Telegram, for whom, and its text."""


@dataclass
class Bulk:
    """One bot with its people, and everything that it has said to them."""

    sandbox: Sandbox
    bot: Person
    people: list[Person]
    key: str
    told: list[Stamp] = field(default_factory=list)
    seconds: Counter[int] = field(default_factory=Counter)
    """How many arrived within each second of the sandbox's clock, since the observer may be late."""

    async def watch(self) -> None:
        """Note when each message comes; the sandbox gives them ids without gaps."""
        for number in itertools.count(1):
            while (message := self.bot.box.get(number)) is None:  # noqa: ASYNC110 - nothing signals it
                await asyncio.sleep(GLANCE)
            if message.out:
                content = message.content
                self.told.append((time.time(), message.peer, content.text))
                self.seconds[int(content.date.timestamp())] += 1

    async def notify(self, url: str, to: list[int], text: str) -> None:
        """Call until some gateway has taken it; a repeated call is the same notification."""
        body = {"to": to, "text": text, "dedup_key": text}
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            (await http.post(f"{url}/notify", json=body, headers=headers)).raise_for_status()


async def measure(messages: int = MESSAGES, people: int = PEOPLE) -> list[Measurement]:
    with TemporaryDirectory() as name:
        async with Sandbox() as sandbox:
            program = as_program(sandbox)
            async with running_gateway(Path(name), program) as first:
                await first.until_serving()
                stored = await _storing(sandbox, first)
                bulk = await _open(sandbox, first, people)
                async with running_gateway(Path(name), program) as second:
                    return [stored, *await _telling(bulk, first, second, messages)]


async def _storing(sandbox: Sandbox, gateway: GatewayProgram) -> Measurement:
    """Notify through a bot that is stopped, so that only storing is measured."""
    bot = sandbox.data_centre.accounts.add_bot("stored_bot", "Stored")
    made = await _register(gateway, bot)
    await gateway.call("DELETE", f"/bots/{made['bot']}")

    def forms() -> Iterator[dict[str, str]]:
        return ({"to": str(10**9 + each), "text": "Sold: a ticket"} for each in range(CALLS))

    url = f"{gateway.url}/notify"
    await post_all(url, itertools.islice(forms(), CALLS // 5), CALLERS, made["key"])
    rate = CALLS / await post_all(url, forms(), CALLERS, made["key"])
    await gateway.call("DELETE", f"/bots/{made['bot']}?purge=true")
    return Measurement("notifications stored and answered", rate, "per s")


async def _open(sandbox: Sandbox, gateway: GatewayProgram, count: int) -> Bulk:
    """Run a bot to which everybody has written once."""
    centre = sandbox.data_centre
    bot = centre.accounts.add_bot("bulk_bot", "Bulk")
    made = await _register(gateway, bot)
    people = [centre.add_account(str(FIRST_PHONE + each), "Taras") for each in range(count + 1)]
    for person in people:
        centre.message_actions.send(person, bot, Draft("hello"))
    return Bulk(sandbox, bot, people, made["key"])


async def _telling(
    bulk: Bulk, first: GatewayProgram, second: GatewayProgram, count: int
) -> list[Measurement]:
    watching = asyncio.create_task(bulk.watch())
    *many, single = bulk.people
    begun, expected = time.time(), _orders(count, [person.id for person in many])
    for text, to in expected.items():
        await bulk.notify(first.url, to, text)
    killing = asyncio.create_task(_kill_now_and_then(first, second, count))
    delays = await _send_single(bulk, single, (first, second), count, killing)
    async with asyncio.timeout(count / 10 + LONGEST):
        await until(lambda: _has_all(bulk, expected), 0.1)
    await killing
    await asyncio.sleep(1.0)  # what comes twice comes now
    watching.cancel()
    return [*_rates(bulk, begun, count), *_losses(bulk, expected), *_of_single(delays)]


def _orders(count: int, people: list[int]) -> dict[str, list[int]]:
    """Return whom each text is for: everybody in turn, until there are so many messages."""
    orders: dict[str, list[int]] = {}
    left = count
    for number in itertools.count():
        for place in range(0, len(people), MOST_AT_ONCE):
            to = people[place : place + MOST_AT_ONCE][:left]
            if not to:
                return orders
            orders[f"news {number}.{place}"] = to
            left -= len(to)
    return orders


async def _kill_now_and_then(first: GatewayProgram, second: GatewayProgram, count: int) -> None:
    """Kill the worker, the whole gateway, and the worker of the one that takes over."""
    pause = count / 25 / 4
    await asyncio.sleep(pause)
    await _kill_worker(first)
    await asyncio.sleep(pause)
    os.kill(first.process.pid, signal.SIGKILL)
    await asyncio.sleep(pause)
    await _kill_worker(second)


async def _kill_worker(gateway: GatewayProgram) -> None:
    found: list[int] = []

    async def runs() -> bool:
        try:
            shown = (await gateway.call("GET", "/bots"))["bots"]
        except httpx.HTTPError:  # it does not serve yet
            return False
        found.extend(each["worker"]["pid"] for each in shown if each["worker"])
        return bool(found)

    await until(runs, 0.1)
    os.kill(found[0], signal.SIGKILL)


async def _send_single(
    bulk: Bulk,
    person: Person,
    gateways: tuple[GatewayProgram, GatewayProgram],
    count: int,
    killing: asyncio.Task[None],
) -> dict[str, float]:
    """Tell one person something now and then while the bulk goes on; return when each was taken."""
    taken: dict[str, float] = {}
    while len(bulk.told) < count * 0.9:
        await asyncio.sleep(SINGLE_EVERY)
        text = f"single {len(taken)}"
        for gateway in gateways:
            try:
                await bulk.notify(gateway.url, [person.id], text)
            except httpx.HTTPError:
                continue
            taken[text] = time.time()
            break
        if killing.done():
            killing.result()
    return {
        text: at - taken[text] for at, peer, text in list(bulk.told)
        if peer == person.id and text in taken
    }  # fmt: skip


async def _has_all(bulk: Bulk, expected: dict[str, list[int]]) -> bool:
    return len(_of_bulk(bulk)) >= sum(map(len, expected.values()))


def _of_bulk(bulk: Bulk) -> list[Stamp]:
    return [stamp for stamp in bulk.told if stamp[2].startswith("news")]


def _rates(bulk: Bulk, begun: float, count: int) -> list[Measurement]:
    most = max(bulk.seconds.values())
    chats: dict[int, list[float]] = defaultdict(list)
    for at, peer, _ in bulk.told:
        chats[peer].append(at)
    gaps = [later - at for each in chats.values() for at, later in itertools.pairwise(sorted(each))]
    closest = min(gaps, default=float("inf"))
    last = max(at for at, _, text in bulk.told if text.startswith("news"))
    return [
        Measurement(f"{count} messages through three kills", count / (last - begun), "per s"),
        Measurement("  most within a second of the clock", most, "", at_most=30),
        Measurement("  shortest time between two to one person", closest, "s", at_least=0.9),
    ]


def _losses(bulk: Bulk, expected: dict[str, list[int]]) -> list[Measurement]:
    came = Counter((peer, text) for _, peer, text in _of_bulk(bulk))
    wanted = {(peer, text) for text, to in expected.items() for peer in to}
    order: dict[int, list[str]] = defaultdict(list)
    for _, peer, text in _of_bulk(bulk):
        order[peer].append(text)
    asked = list(expected)
    wrong = sum(sorted(texts, key=asked.index) != texts for texts in order.values())
    return [
        Measurement("  lost", len(wanted - set(came)), "", at_most=0),
        Measurement("  twice", sum(each > 1 for each in came.values()), "", at_most=0),
        Measurement("  people with another order", wrong, "", at_most=0),
    ]


def _of_single(delays: dict[str, float]) -> list[Measurement]:
    seconds = sorted(delays.values()) or [float("nan")]
    name = "a single message beside the bulk, from the answer"
    return [
        Measurement(f"{name}, median of {len(delays)}", statistics.median(seconds), "s"),
        Measurement("  the slowest, which met a kill", seconds[-1], "s"),
    ]


async def _register(gateway: GatewayProgram, bot: Person) -> Any:
    body = {"name": CLIENT, "token": bot.bot_token, "language": "en"}
    return await gateway.call("POST", "/bots?wait=60", body)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notifications", description=__doc__)
    parser.add_argument("messages", nargs="?", type=int, default=MESSAGES)
    parser.add_argument("people", nargs="?", type=int, default=PEOPLE)
    asked = parser.parse_args()
    print(table("notifications", uvloop.run(measure(asked.messages, asked.people))), flush=True)


if __name__ == "__main__":
    main()
