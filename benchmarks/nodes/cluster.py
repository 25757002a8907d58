"""Nodes on one PostgreSQL server that may die, with numbers spread over them."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Self

import psutil

from benchmarks.programs.sandbox import TOP
from tests.acceptance.api.server import gateway, running_sandbox
from tests.acceptance.nodes.cluster import REAL, Cluster
from tests.support.databases import install

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator
    from types import TracebackType

    from tests.support.databases import Postgres

AT_ONCE = 8  # numbers that are registered at the same time
ATTEMPT = 4.0  # seconds; a caller without an answer tries another node
HOUR = 3600
WRONG_CLOCK = Path(__file__).with_name("wrong_clock")


class Lease(NamedTuple):
    """NODE_TTL and NODE_TAKEOVER."""

    ttl: float
    takeover: float


class Server:
    """A PostgreSQL that dies, freezes and comes back with what it had committed."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self._life = ExitStack()

    def __enter__(self) -> Self:
        self._life.enter_context(self.postgres.serving())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._life.close()

    async def kill(self) -> None:
        """End all its processes without a warning."""
        family = self._family()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await asyncio.to_thread(self._life.close)  # its shell reaps the first of them
        await asyncio.to_thread(psutil.wait_procs, family)

    async def restart(self) -> None:
        (self.postgres.data / "postmaster.pid").unlink(missing_ok=True)
        await asyncio.to_thread(self._life.enter_context, self.postgres.serving())

    def signal(self, number: signal.Signals) -> None:
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _family(self) -> list[psutil.Process]:
        lines = (self.postgres.data / "postmaster.pid").read_text().splitlines()
        master = psutil.Process(int(lines[0]))
        return [master, *master.children(recursive=True)]


@asynccontextmanager
async def running_cluster(
    numbers: int,
    lease: Lease,
    nodes: int,
    app: str = REAL,
    *,
    are_clocks_wrong: bool = False,
) -> AsyncIterator[tuple[Cluster, Server]]:
    """Start everything, and spread the numbers over the nodes."""
    settings = {"NODE_TTL": str(lease.ttl), "NODE_TAKEOVER": str(lease.takeover)}
    with TemporaryDirectory(prefix="pg") as name, TemporaryDirectory() as folder:
        postgres = install(Path(name), Path(name))
        await asyncio.to_thread(postgres.create)
        with Server(postgres) as server, postgres.fresh_database() as url:
            async with (
                running_sandbox(Path(folder)) as sandbox,
                Cluster(Path(folder), sandbox, url, settings, app, is_severable=True) as cluster,
            ):
                cluster.run = gateway
                cluster.attempt = ATTEMPT
                offsets = (HOUR, -HOUR) if are_clocks_wrong else ()
                for place in range(nodes):
                    await cluster.add_node(**_clock(offsets[place]) if place < len(offsets) else {})
                await add_talks(cluster, numbers)
                yield cluster, server


async def add_talks(cluster: Cluster, count: int) -> None:
    """Bring so many numbers online, through all nodes in turn."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def add(place: int) -> None:
        async with slots:
            await cluster.add_talk(cluster.nodes[place % len(cluster.nodes)])

    await asyncio.gather(*(add(place) for place in range(count)))


def _clock(offset: int) -> dict[str, str]:
    return {"PYTHONPATH": f"{WRONG_CLOCK}:{TOP}", "WRONG_CLOCK": str(offset)}
