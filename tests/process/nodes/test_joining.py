"""A node joins the others as soon as their database lets it."""

from __future__ import annotations

import asyncio
import base64
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from supervisor.database.coordination import Coordination
from supervisor.errors import DatabaseUnavailable
from supervisor.nodes.lease import NodeLease
from supervisor.nodes.node import Node
from supervisor.store.store import Store
from tests.support.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from supervisor.nodes.runner import Act, Check, Choose

TTL = 60.0  # seconds


class Nothing:
    """Runs no numbers."""

    def kept(self) -> tuple[str, ...]:
        return ()

    def is_busy(self, number: str) -> bool:
        return not number

    def memory(self) -> int:
        return 0

    def wake(self, number: str, *, are_notifications: bool) -> None:
        """Wake nothing."""

    async def look_for_messages(self) -> None:
        """Find nothing."""

    async def adopt(self, numbers: Collection[str], still_ours: Choose) -> None:
        """Start nothing."""

    async def give_up(self, number: str, is_due: Check, pass_on: Act | None) -> None:
        """Stop nothing."""


@asynccontextmanager
async def joining(postgres_url: str, way: Relay, takeover: float) -> AsyncIterator[Node]:
    """Give a node that has not started; its way to the database is cut."""
    async with way:
        await way.cut()
        url = make_url(postgres_url).set(host="127.0.0.1", port=way.port, query={"ssl": "disable"})
        key = base64.urlsafe_b64encode(os.urandom(32)).decode()
        async with Store(postgres_url, key) as store:
            lease = NodeLease(TTL, takeover)
            made = Node(store, Coordination(url, TTL / 3), "http://one", lease, Nothing())
            yield made
            await made.halt()
            await made.stop()


@pytest.fixture
def way(postgres_url: str) -> Relay:
    return Relay(str(make_url(postgres_url).query["host"]), 5432)


async def test_node_joins_when_the_database_is_back(postgres_url: str, way: Relay) -> None:
    """A node that starts while the database is away joins once it is there."""
    async with joining(postgres_url, way, takeover=2 * TTL) as node:
        starting = asyncio.create_task(node.start())
        await asyncio.wait({starting}, timeout=0.2)
        assert not starting.done()
        await way.mend()
        await starting
        assert [each.url for each in await node.nodes.list()] == ["http://one"]


async def test_node_gives_up_after_the_takeover(postgres_url: str, way: Relay) -> None:
    """A node whose database stays away says so, and does not start."""
    async with joining(postgres_url, way, takeover=0.0) as node:
        with pytest.raises(DatabaseUnavailable):
            await node.start()
        await way.mend()
        assert not node.lease.is_fresh
