"""Nodes freeze, lose the database, drain and die, and every number has one owner all the time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.api.server import running_sandbox
from tests.acceptance.nodes.cluster import HASTY, Cluster
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.nodes.cluster import NodeProgram

TALKS = 6


@pytest.mark.counts_messages
async def test_faults_double_and_lose_nothing(tmp_path: Path, postgres_url: str) -> None:
    """Whatever happens to a node, each login has one connection, and every message arrives in order."""
    async with (
        running_sandbox(tmp_path) as sandbox,
        Cluster(tmp_path, sandbox, postgres_url, HASTY) as cluster,
    ):
        first, second = await cluster.add_node(), await cluster.add_node()
        for _ in range(TALKS):
            await cluster.add_talk(first)
        await talk_all(cluster, "at first")
        await freeze(cluster, first, second)
        await cut_off(cluster, second, first)
        await freeze_between(second)
        await talk_all(cluster, "after a short freeze")
        await cluster.until_spread(first, TALKS // 2, TALKS // 2)
        await order_drain(cluster, first, second)
        assert await second.drain() == 0
        assert await cluster.spread(first) == {first.url: TALKS}
        third = await cluster.add_node()
        await cluster.until_spread(third, TALKS // 2, TALKS // 2)
        await first.kill()
        await talk_all(cluster, "after a death")
        await cluster.until_spread(third, TALKS)
        await cluster.until_online(third)
        await cluster.until_all_said()
        await cluster.require_order()
        assert await cluster.peak() == 1


async def freeze(cluster: Cluster, other: NodeProgram, frozen: NodeProgram) -> None:
    """Freeze a node until the other one has all numbers, and then give it its share again."""
    frozen.freeze()
    await cluster.until_spread(other, TALKS)
    await talk_all(cluster, "while one is frozen")
    await cluster.until_online(other)
    frozen.thaw()
    await cluster.until_spread(other, TALKS // 2, TALKS // 2)


async def cut_off(cluster: Cluster, other: NodeProgram, cut: NodeProgram) -> None:
    """Cut a node off from the database, in the same way."""
    await cut.line.cut()
    await cluster.until_spread(other, TALKS)
    await talk_all(cluster, "while one is cut off")
    await cluster.until_online(other)
    await cut.line.mend()
    await cluster.until_spread(other, TALKS // 2, TALKS // 2)


async def order_drain(cluster: Cluster, other: NodeProgram, drained: NodeProgram) -> None:
    """Drain a node by a call; it has nothing left, and still takes messages for the numbers."""
    path = f"/nodes/{await cluster.id_of(drained)}/drain"
    answer = await cluster.call(other, "POST", path)
    assert (answer.status_code, answer.json()["state"]) == (200, "draining"), answer.text
    await cluster.until_spread(other, 0, TALKS)
    assert await cluster.spread(other) == {other.url: TALKS, drained.url: 0}
    for talk in cluster.talks:
        await cluster.tell(talk, "while one is drained", via=drained)


async def talk_all(cluster: Cluster, text: str) -> None:
    for talk in cluster.talks:
        await asyncio.gather(cluster.tell(talk, text), cluster.hear(talk, text))


async def freeze_between(node: NodeProgram) -> None:
    """Freeze the supervisor until the kernel has ended its workers, but nobody has taken over yet."""
    workers = [each for each in node.server.family if each.pid != node.server.process.pid]
    alive = {each.pid for each in workers}
    node.freeze_supervisor()
    await eventually(lambda: any(not each.is_running() for each in workers) or not alive)
    node.thaw()
