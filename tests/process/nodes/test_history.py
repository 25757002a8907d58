"""What nodes write down about their numbers is what the others hear."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from supervisor.database.coordination import Coordination
from supervisor.monitoring.monitor import FleetEvents
from supervisor.nodes.records import Nodes
from supervisor.numbers.state import State
from supervisor.store.history import PastState, moment
from supervisor.store.store import Store
from supervisor.store.values import NewNumber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = 60.0  # seconds
OURS, THEIRS = "380500000000", "380500000001"


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    """Give a store with two numbers, which belong to two nodes."""
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key, patience=PATIENCE) as opened:
        coordination = Coordination(opened.database.url, PATIENCE)
        nodes = Nodes(coordination)
        for number, node in ((OURS, "one"), (THEIRS, "two")):
            await opened.numbers.create(NewNumber(number, "Acme", "https://acme.example", "token"))
            await nodes.join(node, f"http://{node}")
            await nodes.claim_one(node, number)
        yield opened
        await coordination.stop()


def past(number: str, state: State) -> PastState:
    return PastState(0, number, moment(100.0), state, None, None)


async def test_node_hears_of_the_numbers_of_others(store: Store) -> None:
    """What another node stored is heard once, with the client of its number; the own is not."""
    events = FleetEvents(store)
    assert await events.read() == []

    own = await store.history.append([past(OURS, State.ONLINE)], "one")
    assert own
    events.remember_own(own)
    await store.history.append([past(THEIRS, State.STARTING), past(THEIRS, State.ONLINE)], "two")

    heard = await events.read()
    assert [(each.number, each.client, each.state) for each in heard] == [
        (THEIRS, "Acme", State.STARTING),
        (THEIRS, "Acme", State.ONLINE),
    ]
    assert await events.read() == []


async def test_node_that_lost_a_number_says_nothing_of_it(store: Store) -> None:
    """A node that was frozen cannot tell of a number that another one runs by now."""
    assert await store.history.append([past(THEIRS, State.STARTING)], "one") == frozenset()

    assert await store.history.list(THEIRS, None, 10) == ()


async def test_number_that_was_given_up_is_told_of_anew(store: Store) -> None:
    """Who hears of a number at its former node hears what the new one said last."""
    events = FleetEvents(store)
    await store.history.append([past(THEIRS, State.STARTING), past(THEIRS, State.ONLINE)], "two")
    assert await events.read() == []

    events.pass_on(THEIRS)

    assert [(each.number, each.state) for each in await events.read()] == [(THEIRS, State.ONLINE)]


async def test_nodes_write_one_after_the_other(store: Store) -> None:
    """While one node adds changes another one waits, so that ids are committed in their order."""
    engine = store.database.locking_engine()
    assert engine is not None
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(7351283)"))
        assert await store.history.append([past(OURS, State.ONLINE)], "one") is None
        await connection.execute(text("SELECT pg_advisory_unlock(7351283)"))
    assert await store.history.append([past(OURS, State.ONLINE)], "one")
    await engine.dispose()
