"""What several nodes cost, and how soon one takes over from another.

`python -m benchmarks.nodes loss` kills a node with half of the numbers, `upgrade --from REVISION`
replaces three nodes of that revision one by one under traffic, `throughput` compares one gateway
that is alone with one, two and three nodes.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import random
import subprocess
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from benchmarks.nodes.cluster import Lease, add_talks, running_cluster
from benchmarks.nodes.traffic import Traffic
from benchmarks.programs.load import employee_form
from benchmarks.programs.sandbox import TOP
from tests.support.databases import execute
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.acceptance.nodes.cluster import Cluster, NodeProgram, Talk

LEASE = Lease(12.0, 15.0)  # as NODE_TTL and NODE_TAKEOVER are if nobody sets them
CALLERS = 16
TALKS = 12
MESSAGES = 2400
IDLE = 20.0  # seconds in which nobody writes
GLANCE = 0.2  # seconds
LONGEST = 600.0  # seconds for many numbers


async def measure_loss(count: int) -> None:
    """Kill every process of a node, and wait until the other one serves all numbers."""
    async with running_cluster(count, LEASE, 2) as (cluster, _):
        first, second = cluster.nodes
        await eventually(partial(_are_online, cluster, first, count), LONGEST)
        spread = await cluster.spread(first)
        load, killed = os.getloadavg()[0], time.monotonic()
        await second.kill(whole=True)
        back: list[float] = []
        while len(back) < spread[second.url]:
            online = [state for state in (await _states(cluster, first)) if state == "online"]
            passed = time.monotonic() - killed
            back += [passed] * (len(online) - spread[first.url] - len(back))
            await asyncio.sleep(GLANCE)
        peak = await cluster.peak()
    print(
        f"kill -9 of a node with {spread[second.url]} of {count} numbers, {LEASE}, load {load:.0f}"
    )
    print(f"  first back after {back[0]:.1f} s, median {median(back):.1f} s, all {back[-1]:.1f} s")
    print(f"  most connections of one login {peak}")


async def measure_upgrade(revision: str, numbers: int) -> None:
    """Drain, upgrade and start one node after the other while everybody writes."""
    with checked_out(revision) as older:
        async with running_cluster(0, LEASE, 0) as (cluster, _):
            for _ in range(3):
                await cluster.add_node(PYTHONPATH=str(older))
            await add_talks(cluster, numbers)
            traffic, began = Traffic(cluster, random.Random(1)), time.time()
            traffic.start()
            for node in cluster.nodes:
                drained = time.monotonic()
                status = await node.drain()
                print(
                    f"  {node.name} has ended with {status} after {time.monotonic() - drained:.1f} s"
                )
                node.settings["PYTHONPATH"] = str(TOP)
                await cluster.start(node)
                await node.server.wait_ready()
                await traffic.wait_until_arrived(LONGEST)
            await traffic.stop()
            await traffic.wait_until_arrived(LONGEST)
            out, into = await traffic.worst_waits(began)
            books = await traffic.judge()
    print(f"rolling upgrade of three nodes from {revision} with {numbers} numbers, {LEASE}")
    print(f"  slowest message out {out:.1f} s, in {into:.1f} s; {books}")


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Give the sources of an older version."""
    with TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["git", "archive", revision], cwd=TOP, check=True, capture_output=True
        )
        subprocess.run(["tar", "xf", "-", "-C", folder], input=packed.stdout, check=True)
        yield Path(folder)


async def measure_throughput() -> None:
    """Let Planfix write as fast as it can, through all nodes in turn."""
    for name, nodes, own in (
        ("one gateway that is alone", 1, {"NODE_URL": ""}),
        ("one node", 1, {}),
        ("two nodes", 2, {}),
        ("three nodes", 3, {}),
    ):
        async with running_cluster(0, LEASE, 0) as (cluster, _):
            for _ in range(nodes):
                await cluster.add_node(**own)
            await add_talks(cluster, TALKS)
            await cluster.until_all_said()  # until then the gateway does not know the chats
            load, before = os.getloadavg()[0], await _transactions(cluster)
            await asyncio.sleep(IDLE)
            idle = (await _transactions(cluster) - before) / IDLE
            before = await _transactions(cluster)
            taken, arrived = await _write_all(cluster)
            busy = await _transactions(cluster) - before - idle * arrived
        print(
            f"{name:26} taken {MESSAGES / taken:5.0f} a second,"
            f" in Telegram {MESSAGES / arrived:5.0f} a second, load before {load:.0f};"
            f" transactions: {idle:.1f} a second at rest, {busy / MESSAGES:.2f} for a message",
            flush=True,
        )


async def _transactions(cluster: Cluster) -> int:
    """Return how many transactions the database has carried out."""
    statement = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    rows = await execute(cluster.database_url, statement)
    return int(rows[0][0])


async def _write_all(cluster: Cluster) -> tuple[float, float]:
    """Return the seconds until everything was taken, and until it was in Telegram."""
    work = itertools.product(range(MESSAGES // TALKS), cluster.talks)
    turns = itertools.cycle(cluster.nodes)
    began = time.monotonic()
    async with httpx.AsyncClient(timeout=60.0, trust_env=False) as http:

        async def call() -> None:
            for place, talk in work:
                form = employee_form(
                    talk.number, talk.token, talk.contact_id, f"{place}", f"message {place}"
                )
                answer = await http.post(f"{next(turns).url}/webhook/message", data=form)
                assert answer.status_code == 200, answer.text

        await asyncio.gather(*(call() for _ in range(CALLERS)))
    taken = time.monotonic() - began
    for talk in cluster.talks:
        await eventually(partial(_has_all, cluster, talk), LONGEST)
    return taken, time.monotonic() - began


async def _has_all(cluster: Cluster, talk: Talk) -> bool:
    return len(await cluster.in_telegram(talk)) >= MESSAGES // TALKS


async def _are_online(cluster: Cluster, node: NodeProgram, count: int) -> bool:
    return list(await _states(cluster, node)) == ["online"] * count


async def _states(cluster: Cluster, node: NodeProgram) -> Sequence[str]:
    with suppress(httpx.TransportError, KeyError):
        return tuple((await cluster.numbers(node)).values())
    return ()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nodes", description=__doc__)
    parser.add_argument("what", choices=["loss", "upgrade", "throughput"])
    parser.add_argument("--numbers", type=int, help="200 for loss, 12 for upgrade")
    parser.add_argument("--from", dest="revision", default="HEAD", help="of the nodes to upgrade")
    options = parser.parse_args()
    match options.what:
        case "loss":
            asyncio.run(measure_loss(options.numbers or 200))
        case "upgrade":
            asyncio.run(measure_upgrade(options.revision, options.numbers or TALKS))
        case _:
            asyncio.run(measure_throughput())


if __name__ == "__main__":
    main()
