"""Messages in both directions whatever happens to the nodes: how long each was under way, and which are missing."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple

import httpx
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.soak.reconciliation import Direction
from tests.support.databases import execute

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.acceptance.nodes.cluster import Cluster, Talk

PAUSE = 1.0  # seconds between two messages of one chat in one direction, on average
GLANCE = 0.5  # seconds between two looks at what has arrived


class Seen(NamedTuple):
    """The messages of one chat on the other side, with the times of their arrival."""

    in_telegram: list[tuple[str, float]]
    in_planfix: list[tuple[str, float]]


@dataclass(slots=True)
class Books:
    """What became of all messages."""

    written: int = 0
    lost: int = 0
    twice_in_telegram: int = 0
    twice_in_planfix: int = 0
    out_of_order: int = 0
    peak: int = 0

    @property
    def is_good(self) -> bool:
        """Whether all is well; Planfix may get a message twice if its answer was lost."""
        bad = (self.lost, self.twice_in_telegram, self.out_of_order)
        return not any(bad) and self.peak == 1


@dataclass(slots=True)
class Said:
    """When each message of a chat was first handed to Telegram or the gateway."""

    into_telegram: dict[str, float] = field(default_factory=dict)
    into_planfix: dict[str, float] = field(default_factory=dict)


class Traffic:
    """Employees and contacts who write to each other whatever happens."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self._cluster = cluster
        self._chance = chance
        self._said = {talk.number: Said() for talk in cluster.talks}
        self._writing: list[asyncio.Task[None]] = []
        self._goes_on = True

    def start(self) -> None:
        for talk in self._cluster.talks:
            self._writing.append(asyncio.create_task(self._write(talk, self._write_to_telegram)))
            self._writing.append(asyncio.create_task(self._write(talk, self._write_to_planfix)))

    async def stop(self) -> None:
        """Let everybody finish their current message; raise the error of one that failed."""
        self._goes_on = False
        await asyncio.gather(*self._writing)

    async def abort(self) -> None:
        """Let everybody stop in the middle of whatever they do."""
        self._goes_on = False
        for writing in self._writing:
            writing.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def wait_until_arrived(self, patience: float) -> bool:
        """Wait until everything that was written until now has arrived; return whether it has."""
        await asyncio.sleep(PAUSE)  # in which somebody writes to each number
        wanted = {talk.number: (set(talk.told), set(talk.heard)) for talk in self._cluster.talks}
        end = time.monotonic() + patience
        for talk in self._cluster.talks:
            told, heard = wanted[talk.number]
            while not await self._has(talk, told, heard):
                if time.monotonic() > end:
                    return False
                await asyncio.sleep(GLANCE)
        return True

    async def worst_waits(self, since: float) -> tuple[float, float]:
        """Return how long the slowest message waited of those written since then, each way.

        Telegram tells whole seconds, so its figure may be up to a second too large.
        """
        out, into = [0.0], [0.0]
        for talk in self._cluster.talks:
            said, seen = self._said[talk.number], await self._look(talk)
            out += _waits(said.into_telegram, seen.in_telegram, since, 1.0)
            into += _waits(said.into_planfix, seen.in_planfix, since, 0.0)
        return max(out), max(into)

    async def missing(self) -> list[str]:
        """Return the messages that were accepted but have not arrived."""
        found: list[str] = []
        for talk in self._cluster.talks:
            to_telegram, to_planfix = await self._compare(talk)
            found += [f"{talk.number} {text}" for text in (*to_telegram.lost, *to_planfix.lost)]
        return found

    async def judge(self) -> Books:
        """Compare all that was written with all that has arrived."""
        books = Books(peak=await self._cluster.peak())
        for talk in self._cluster.talks:
            to_telegram, to_planfix = await self._compare(talk)
            books.written += len(talk.told) + len(talk.heard)
            books.lost += len(to_telegram.lost) + len(to_planfix.lost)
            books.twice_in_telegram += len(to_telegram.twice)
            books.twice_in_planfix += len(to_planfix.twice)
            books.out_of_order += len(to_telegram.out_of_order) + len(to_planfix.out_of_order)
        return books

    async def _compare(self, talk: Talk) -> tuple[Direction, Direction]:
        said, seen = self._said[talk.number], await self._look(talk)
        return (
            _direction(talk.told, said.into_telegram, seen.in_telegram),
            _direction(talk.heard, said.into_planfix, seen.in_planfix),
        )

    async def _write(self, talk: Talk, write: Callable[[Talk, str], object]) -> None:
        count = 0
        while self._goes_on:
            await asyncio.sleep(2 * PAUSE * self._chance.random())
            count += 1
            done = write(talk, str(count))
            assert asyncio.iscoroutine(done)
            await done

    async def _write_to_telegram(self, talk: Talk, text: str) -> None:
        self._said[talk.number].into_telegram[f"out {text}"] = time.time()
        await self._cluster.tell(talk, f"out {text}")

    async def _write_to_planfix(self, talk: Talk, text: str) -> None:
        self._said[talk.number].into_planfix[f"in {text}"] = time.time()
        await self._cluster.hear(talk, f"in {text}")

    async def _has(self, talk: Talk, told: set[str], heard: set[str]) -> bool:
        with suppress(httpx.TransportError):
            seen = await self._look(talk)
            into = {text for text, _ in seen.in_planfix}
            return told <= {text for text, _ in seen.in_telegram} and heard <= into
        return False

    async def _look(self, talk: Talk) -> Seen:
        people = {"of": talk.contact, "with": talk.number}
        box = await self._cluster.look("/telegram/messages", **people)
        calls = await self._cluster.look(f"/planfix/c{talk.number}/calls")
        return Seen(
            [(each["text"], each["date"]) for each in box if not each["out"]],
            [
                (each["fields"]["message"][0], each["at"])
                for each in calls
                if each["fields"].get("cmd") == ["newMessage"] and each["status"] == 200
            ],
        )


def _direction(
    taken: list[str], said: dict[str, float], seen: list[tuple[str, float]]
) -> Direction:
    """Compare one direction; an unconfirmed message may be missing, but must be in order if it is there."""
    untold = [text for text in said if text not in taken]
    return Direction([*taken, *untold], [text for text, _ in seen], frozenset(untold))


def _waits(
    said: dict[str, float], seen: list[tuple[str, float]], since: float, rounding: float
) -> list[float]:
    first = dict(reversed(seen))
    return [
        max(0.0, first[text] + rounding - at)
        for text, at in said.items()
        if at >= since and text in first
    ]


STATEMENTS = {
    "messages that wait": (
        "SELECT id, number, direction, peer_id, key, attempts, is_trying, next_try, tried, created,"
        " error_code, error_detail FROM journal WHERE state = 'pending' ORDER BY number, id"
    ),
    "owners of the numbers": (
        "SELECT p.number, p.incarnation, p.epoch, n.epoch, n.wanted FROM placement p"
        " LEFT JOIN number n ON n.digits = p.number ORDER BY p.number"
    ),
    "nodes": "SELECT incarnation, url, state, beat, since FROM node ORDER BY since",
}


async def keep_evidence(cluster: Cluster, traffic: Traffic, label: str) -> Path:
    """Copy it into a new folder before the cluster ends; return the folder."""
    folder = Path(mkdtemp(prefix=f"chaos-{label}-"))
    for node in cluster.nodes:
        shutil.copy(node.server.log, folder / f"{node.name}.log")
    lines = [f"written at {time.time():.1f}, by the clock that is right"]
    lines += [
        f"{node.name} {node.url} {node.settings.get('WRONG_CLOCK', 0)}" for node in cluster.nodes
    ]
    lines += ["", "missing", *await traffic.missing()]
    for title, statement in STATEMENTS.items():
        try:
            rows = [str(tuple(row)) for row in await execute(cluster.database_url, statement)]
        except SQLAlchemyError as exc:  # the rest is worth keeping all the same
            rows = [str(exc)]
        lines += ["", title, *rows]
    (folder / "state.txt").write_text("\n".join(lines))
    return folder
