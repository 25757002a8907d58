"""Whoever owns a number owns it alone, whatever happens at the same moment."""

from __future__ import annotations

import asyncio
import base64
import os
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from supervisor.database.coordination import Coordination
from supervisor.database.engines import database_url, writing_engine
from supervisor.errors import StaleEpoch
from supervisor.nodes.cluster_state import NodeState, Peer
from supervisor.nodes.records import Nodes, require_owner
from supervisor.store.store import Store
from supervisor.store.values import NewNumber
from tests.support.databases import execute
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = 60.0  # seconds
NUMBERS = [f"38050000000{each}" for each in range(6)]


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key, patience=PATIENCE) as opened:
        for number in NUMBERS:
            await opened.numbers.create(NewNumber(number, "Acme", "https://acme.example", "token"))
        yield opened


@pytest.fixture
async def nodes(store: Store) -> AsyncIterator[Nodes]:
    coordination = Coordination(store.database.url, PATIENCE)
    made = Nodes(coordination)
    for name in ("one", "two"):
        await made.join(name, f"http://{name}")
    yield made
    await coordination.stop()


async def seen(nodes: Nodes, name: str) -> Peer:
    [found] = [peer for peer in (await nodes.look("one")).peers if peer.incarnation == name]
    return found


async def test_number_has_one_owner(nodes: Nodes) -> None:
    """Two nodes that claim at the same moment share what is free."""
    one, two = await asyncio.gather(nodes.claim("one", 6), nodes.claim("two", 6))

    assert sorted(one + two) == NUMBERS
    assert not await nodes.claim("one", 6)


async def test_claim_that_waited_takes_nothing_from_a_newcomer(
    nodes: Nodes, store: Store, postgres_url: str
) -> None:
    """A node that joined and claimed while another one's claim waited keeps what it has."""
    await nodes.claim("two", 6)
    await nodes.fence(await seen(nodes, "two"))
    engine = writing_engine(database_url(postgres_url))
    async with engine.connect() as slow, asyncio.TaskGroup() as others:
        held = text("SELECT 1 FROM placement WHERE number = :number FOR UPDATE")
        await slow.execute(held, {"number": NUMBERS[0]})
        waiting = others.create_task(nodes.claim("one", 6))
        await eventually(partial(_is_waiting, postgres_url), awaited="the claim waits")
        await nodes.join("newcomer", "http://newcomer")
        owner = await nodes.claim_one("newcomer", NUMBERS[5])
        await slow.rollback()
    await engine.dispose()

    assert owner is not None
    assert owner.incarnation == "newcomer"
    assert sorted(waiting.result()) == NUMBERS[:5]
    assert (await nodes.find(NUMBERS[5])).owner == owner


async def _is_waiting(postgres_url: str) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await execute(postgres_url, waiting))


async def test_beat_protects_from_the_fence(nodes: Nodes) -> None:
    """Who has beaten since it was seen is not fenced."""
    before = await seen(nodes, "two")
    assert await nodes.beat("two", 0) is NodeState.ALIVE

    assert not await nodes.fence(before)
    assert await nodes.fence(await seen(nodes, "two"))
    assert await nodes.beat("two", 0) is None


async def test_node_is_told_what_it_has_left(nodes: Nodes) -> None:
    """Who starts again after a crash learns which of its numbers nobody has taken yet."""
    one, two = await nodes.claim("one", 3), await nodes.claim("two", 3)
    assert await nodes.join("elsewhere", "http://three") == ()

    assert sorted(await nodes.join("again", "http://one")) == sorted(one)

    await nodes.fence(await seen(nodes, "two"))
    await nodes.claim("again", 1)
    left = await nodes.join("twice", "http://two")
    assert len(left) == 2
    assert {*left} < {*two}


async def test_fenced_node_owns_nothing(nodes: Nodes, store: Store) -> None:
    """The numbers of a fenced node are free at once, and it can neither claim nor start any."""
    await nodes.claim("two", 6)
    store.runs.require_owner = partial(require_owner, incarnation="two")
    epoch = (await store.numbers.get(NUMBERS[0])).epoch
    assert await store.runs.take_epoch(NUMBERS[0], epoch) == epoch + 1

    await nodes.fence(await seen(nodes, "two"))

    assert not await nodes.claim("two", 6)
    with pytest.raises(StaleEpoch):
        await store.runs.take_epoch(NUMBERS[0], epoch + 1)
    assert (await nodes.look("one")).free == 6
    assert len(await nodes.claim("one", 6)) == 6
    owner = (await nodes.find(NUMBERS[0])).owner
    assert owner is not None
    assert (owner.incarnation, owner.epoch) == ("one", 2)


async def test_number_is_handed_over(nodes: Nodes, store: Store) -> None:
    """The new owner has the number at once, and the old one may not start it any more."""
    await nodes.claim("one", 6)
    store.runs.require_owner = partial(require_owner, incarnation="one")
    assert await nodes.hand_over("one", NUMBERS[0], "two")

    assert (await nodes.look("two")).to_run == {NUMBERS[0]}
    with pytest.raises(StaleEpoch):
        await store.runs.take_epoch(NUMBERS[0], (await store.numbers.get(NUMBERS[0])).epoch)
    assert not await nodes.hand_over("one", NUMBERS[0], "two")


async def test_erased_number_leaves_nothing(nodes: Nodes, postgres_url: str) -> None:
    """Where a number ran is forgotten with it, by its owner only."""
    await nodes.claim("one", 6)

    await nodes.forget("two", NUMBERS[1])
    await nodes.forget("one", NUMBERS[0])

    left = await execute(postgres_url, "SELECT number FROM placement")
    assert sorted(row.number for row in left) == NUMBERS[1:]


async def test_drained_node_is_no_heir(nodes: Nodes) -> None:
    """A number that is handed to a node that takes none is free for everybody."""
    await nodes.claim("one", 6)
    assert await nodes.order_drain("two")

    assert await nodes.hand_over("one", NUMBERS[0], "two")

    assert (await nodes.find(NUMBERS[0])).owner is None
    assert await nodes.beat("two", 0) is NodeState.DRAINING


async def test_stopped_number_is_not_claimed(nodes: Nodes, store: Store) -> None:
    """A number that nobody wants to run has no owner until somebody starts it."""
    await store.numbers.stop(NUMBERS[0])

    assert NUMBERS[0] not in await nodes.claim("one", 6)
    owner = await nodes.claim_one("two", NUMBERS[0])
    assert owner is not None
    assert owner.incarnation == "two"
    assert not (await nodes.find(NUMBERS[0])).is_to_run


async def test_node_that_leaves_is_listed(nodes: Nodes) -> None:
    """The operator sees who has gone, and what each node runs."""
    await nodes.claim("one", 4)
    await nodes.leave("two")

    listed = {each.url: (each.state, each.numbers) for each in await nodes.list()}
    assert listed == {"http://one": ("alive", 4), "http://two": ("gone", 0)}
    await nodes.join("three", "http://two")
    assert len(await nodes.list()) == 2


async def test_everybody_is_woken(store: Store) -> None:
    """A wake-up reaches the nodes that listen; many for one number are one."""
    notifying, listening = (Coordination(store.database.url, PATIENCE) for _ in range(2))
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening.listen(heard.put_nowait)
    assert await heard.get() == ""  # it listens from now on

    for _ in range(3):
        notifying.notify(NUMBERS[0])

    assert await heard.get() == NUMBERS[0]
    notifying.notify(NUMBERS[1])
    assert await heard.get() == NUMBERS[1]
    await notifying.stop()
    await listening.stop()


async def test_abandoned_transaction_is_ended(store: Store, postgres_url: str) -> None:
    """A node that freezes within a transaction does not keep its locks."""
    engine = writing_engine(database_url(postgres_url), patience=0.3)
    frozen = await engine.connect()
    await frozen.execute(text("UPDATE number SET restarts = 1"))

    await store.numbers.stop(NUMBERS[0])

    with pytest.raises(DBAPIError):
        await frozen.commit()
    await frozen.invalidate()
    await engine.dispose()
    assert (await store.numbers.get(NUMBERS[0])).restarts == 0
