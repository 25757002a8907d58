"""Three nodes on one PostgreSQL, random faults under traffic, and the sandbox as the judge.

Run it as `python -m benchmarks.chaos [FAULTS]`. Two of the nodes have wall clocks that are an hour
wrong. After the faults a positive control runs: nodes without fences, in which the judge must see
that logins are used twice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import httpx

from benchmarks.chaos.faults import FAULTS, LONGEST, SHORTEST, Fault, Stage
from benchmarks.nodes.cluster import Lease, running_cluster
from benchmarks.nodes.traffic import Books, Traffic, keep_evidence
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.nodes.cluster import Server
    from tests.acceptance.nodes.cluster import Cluster, NodeProgram

NODES = 3
TTL = 12.0  # seconds
RECOVERY = 10.0  # seconds after the takeover in which everything has to be served again
PATIENCE = 180.0  # seconds after which a message counts as lost
UNFENCED = "tests.fakes.unfenced:create_app()"


class Cost(NamedTuple):
    """What one fault cost: how long the slowest message of each direction was under way."""

    fault: Fault
    node: str
    seconds: float
    out: float
    into: float

    def is_recovered(self, lease: Lease) -> bool:
        """Whether no message took too long; while the whole database was away, none could arrive."""
        outage = self.seconds if self.fault.hits_all else 0.0
        return max(self.out, self.into) <= lease.takeover + RECOVERY + outage


class Unsettled(Exception):
    """Something that was written has not arrived."""


class Chaos:
    """Lets one thing after another happen to a cluster."""

    def __init__(
        self, cluster: Cluster, server: Server, chance: random.Random, lease: Lease
    ) -> None:
        self._lease = lease
        self._cluster = cluster
        self._server = server
        self._chance = chance
        self.traffic = Traffic(cluster, chance)
        self.costs: list[Cost] = []

    async def run(self, count: int, label: str) -> Books:
        self.traffic.start()
        try:
            for place, fault in enumerate(self._draw(count), start=1):
                cost = await self._commit(fault)
                self.costs.append(cost)
                print(f"  {place:3}  {describe(cost, self._lease)}", flush=True)
                if await self._cluster.peak() > 1:
                    print("       a login was used twice", flush=True)
                    break
            await self.traffic.stop()
        except (Unsettled, AssertionError) as exc:
            print(f"       {exc}", flush=True)
            await self.traffic.abort()
            await self._keep_evidence(label)
        await self.traffic.wait_until_arrived(PATIENCE)
        books = await self.traffic.judge()
        if not books.is_good:
            await self._keep_evidence(label)
        return books

    async def _keep_evidence(self, label: str) -> None:
        folder = await keep_evidence(self._cluster, self.traffic, label)
        print(f"       the logs and what waits are in {folder}", flush=True)

    def _draw(self, count: int) -> Iterator[Fault]:
        """Yield every kind once, in random order, before any is repeated."""
        while count > 0:
            deck = list(FAULTS)
            self._chance.shuffle(deck)
            yield from deck[:count]
            count -= len(deck)

    async def _commit(self, fault: Fault) -> Cost:
        node = self._chance.choice(self._cluster.nodes)
        await self._until_balanced(node)
        seconds = self._lease.ttl * self._chance.uniform(SHORTEST, LONGEST)
        began = time.time()
        await fault.act(Stage(self._cluster, self._server, node, self._chance, seconds))
        lasted = time.time() - began
        if self._chance.random() < 0.5:  # a machine that comes back before the others notice
            await self._revive(node)
        if not await self.traffic.wait_until_arrived(PATIENCE):
            raise Unsettled(f"{fault.name}: not everything has arrived within {PATIENCE:.0f} s")
        await self._revive(node)
        out, into = await self.traffic.worst_waits(began)
        return Cost(fault, node.name, lasted, out, into)

    async def _revive(self, node: NodeProgram) -> None:
        if not node.is_running:
            await self._cluster.start(node)
            await node.server.wait_ready()

    async def _until_balanced(self, node: NodeProgram) -> None:
        """Wait until the node has its share, so that the fault has something to hit."""
        share = len(self._cluster.talks) // NODES

        async def is_balanced() -> bool:
            with suppress(httpx.TransportError, KeyError, ValueError):
                spread = await self._cluster.spread(node)
                return len(spread) == NODES and min(spread.values()) >= share
            return False

        await eventually(is_balanced, awaited="numbers spread evenly")


def describe(cost: Cost, lease: Lease) -> str:
    verdict = "" if cost.is_recovered(lease) else "  LATE"
    return (
        f"{cost.fault.name:34}  {cost.node}  {cost.seconds:5.1f} s"
        f"  out {cost.out:5.1f} s  in {cost.into:5.1f} s{verdict}"
    )


async def commit_faults(count: int, numbers: int, seed: int, lease: Lease) -> bool:
    """Let the faults of a seed happen; return whether all was well."""
    load = os.getloadavg()[0]
    print(f"seed {seed}: {NODES} nodes, {numbers} numbers, {lease}, load {load:.0f}", flush=True)
    async with running_cluster(numbers, lease, NODES, are_clocks_wrong=True) as (cluster, server):
        chaos = Chaos(cluster, server, random.Random(seed), lease)
        began = time.monotonic()
        books = await chaos.run(count, str(seed))
        minutes = (time.monotonic() - began) / 60
    by_name: dict[str, list[Cost]] = defaultdict(list)
    for cost in chaos.costs:
        by_name[cost.fault.name].append(cost)
    print("  the slowest message of each kind of fault:")
    for name, costs in sorted(by_name.items()):
        out, into = max(cost.out for cost in costs), max(cost.into for cost in costs)
        print(f"  {len(costs):3} x {name:34}  out {out:5.1f} s  in {into:5.1f} s")
    late = sum(not cost.is_recovered(lease) for cost in chaos.costs)
    print(f"  {len(chaos.costs)} faults in {minutes:.1f} minutes, {late} recovered too late")
    for name in books.__slots__:
        print(f"  {name.replace('_', ' '):20}  {getattr(books, name):>8,}")
    return books.is_good and not late and len(chaos.costs) == count


async def control(numbers: int, lease: Lease) -> bool:
    """Cut a node without fences off from the database; return whether the judge saw doubles."""
    async with running_cluster(numbers, lease, 2, UNFENCED) as (cluster, _):
        first, second = cluster.nodes
        await cluster.until_spread(first, *_halves(numbers))
        await second.line.cut()
        await cluster.until_spread(first, numbers)
        doubled: list[str] = []

        async def has_all() -> bool:
            states = await cluster.numbers(first)
            doubled[:] = [each for each in states if await cluster.peak_of(each) > 1]
            online = {each for each, state in states.items() if state == "online"}
            return len(online | {*doubled}) == numbers

        await eventually(has_all, awaited="every number online or doubled")
    print(f"positive control, without fences: {len(doubled)} of {numbers} logins used twice")
    return bool(doubled)


def _halves(numbers: int) -> tuple[int, int]:
    return numbers // 2, numbers - numbers // 2


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("faults", nargs="?", type=int, default=40, help="for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", help="random without it")
    parser.add_argument("--numbers", type=int, default=9)
    parser.add_argument("--ttl", type=float, default=TTL, help="NODE_TTL of the nodes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left behind
    lease = Lease(options.ttl, 1.25 * options.ttl)
    seeds = options.seeds or [random.SystemRandom().getrandbits(32)]
    is_good = all(
        [asyncio.run(commit_faults(options.faults, options.numbers, seed, lease)) for seed in seeds]
        if options.faults
        else []
    )
    is_sighted = asyncio.run(control(4, lease))
    sys.exit(not (is_good and is_sighted))


if __name__ == "__main__":
    main()
