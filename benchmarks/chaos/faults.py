"""What may happen to a node, to its connections and to the database, one thing at a time."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from benchmarks.nodes.cluster import Server
    from tests.acceptance.nodes.cluster import Cluster, NodeProgram

SHORTEST, LONGEST = 0.5, 3.0  # times NODE_TTL
FEW = 3  # workers


class Stage(NamedTuple):
    """All that a fault may act upon, and for how long."""

    cluster: Cluster
    server: Server
    node: NodeProgram
    chance: random.Random
    seconds: float


class Fault(NamedTuple):
    """One kind of fault; while it lasts, everything may have to wait, or only its node's numbers."""

    name: str
    act: Callable[[Stage], Awaitable[None]]
    hits_all: bool = False


async def kill_gateway(stage: Stage) -> None:
    await stage.node.kill()


async def kill_whole_node(stage: Stage) -> None:
    await stage.node.kill(whole=True)


async def kill_workers(stage: Stage) -> None:
    _, *workers = stage.node.server.family
    for process in stage.chance.sample(workers, min(FEW, len(workers))):
        with suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)


async def drain(stage: Stage) -> None:
    await stage.node.drain()


async def freeze(stage: Stage) -> None:
    stage.node.freeze()
    await asyncio.sleep(stage.seconds)
    stage.node.thaw()


async def freeze_supervisor(stage: Stage) -> None:
    stage.node.freeze_supervisor()
    await asyncio.sleep(stage.seconds)
    stage.node.thaw()


async def cut_from_database(stage: Stage) -> None:
    await stage.node.line.cut()
    await asyncio.sleep(stage.seconds)
    await stage.node.line.mend()


async def silence_database(stage: Stage) -> None:
    stage.node.line.silence()
    await asyncio.sleep(stage.seconds)
    await stage.node.line.mend()


async def silence_answers(stage: Stage) -> None:
    """Let what the node writes arrive in the database, and nothing come back."""
    stage.node.line.silence(only_answers=True)
    await asyncio.sleep(stage.seconds)
    await stage.node.line.mend()


async def cut_from_everything(stage: Stage) -> None:
    lines = stage.node.lines
    await asyncio.gather(*(line.cut() for line in lines))
    await asyncio.sleep(stage.seconds)
    await asyncio.gather(*(line.mend() for line in lines))


async def restart_database(stage: Stage) -> None:
    await stage.server.kill()
    await stage.server.restart()


async def stop_database_for_a_while(stage: Stage) -> None:
    await stage.server.kill()
    await asyncio.sleep(stage.seconds)
    await stage.server.restart()


async def freeze_database(stage: Stage) -> None:
    stage.server.signal(signal.SIGSTOP)
    await asyncio.sleep(stage.seconds)
    stage.server.signal(signal.SIGCONT)


FAULTS = (
    Fault("kill -9 of the gateway", kill_gateway),
    Fault("kill -9 of every process", kill_whole_node),
    Fault("kill -9 of some workers", kill_workers),
    Fault("SIGTERM", drain),
    Fault("all processes frozen", freeze),
    Fault("the supervisor frozen", freeze_supervisor),
    Fault("cut off from the database", cut_from_database),
    Fault("the database silent", silence_database),
    Fault("the answers of the database lost", silence_answers),
    Fault("cut off from everything", cut_from_everything),
    Fault("PostgreSQL killed and restarted", restart_database, hits_all=True),
    Fault("PostgreSQL away", stop_database_for_a_while, hits_all=True),
    Fault("PostgreSQL frozen", freeze_database, hits_all=True),
)
