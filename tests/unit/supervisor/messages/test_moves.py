"""What a worker has delivered is recorded before its number may move to another machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.inbound.progress import DELIVERED_LOG, DeliveredLog
from session_worker.protocol.messages import Deliver, Delivered, Drain, Drained
from supervisor.config import Config
from supervisor.messages.message_service import Dispatchers
from tests.support.waiting import eventually
from tests.unit.supervisor.conftest import RecordedDispatcher
from tests.unit.supervisor.rows import NUMBER, incoming, received

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from supervisor.store.store import Store


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path, tmp_path, 1, "hash")


@pytest.fixture
def dispatchers(store: Store, config: Config) -> Dispatchers:
    return Dispatchers(store, config)


@pytest.fixture
async def moving(store: Store, dispatchers: Dispatchers) -> AsyncIterator[RecordedDispatcher]:
    recorded = RecordedDispatcher(store, await dispatchers.of(NUMBER))
    await recorded.open()
    yield recorded
    await recorded.close()


async def test_number_moves_when_its_deliveries_are_recorded(
    dispatchers: Dispatchers, moving: RecordedDispatcher
) -> None:
    """Whoever moves a number waits until the worker has said that nothing is on its way."""
    await moving.say(received(5))
    [row] = [each.row for each in moving.told_of(Deliver)]

    draining = asyncio.create_task(dispatchers.drain(NUMBER))
    await eventually(lambda: bool(moving.told_of(Drain)), awaited="the worker told")
    await moving.say(Delivered(row=row), Drained())

    assert await draining
    assert [entry.state for entry in await moving.entries()] == ["delivered"]


async def test_nobody_waits_for_a_worker_that_has_ended(
    dispatchers: Dispatchers, moving: RecordedDispatcher
) -> None:
    """A worker that ends while it is drained has perhaps delivered what it could not report."""
    draining = asyncio.create_task(dispatchers.drain(NUMBER))
    await eventually(lambda: bool(moving.told_of(Drain)), awaited="the worker told")
    await moving.close()

    assert not await draining
    assert not await dispatchers.drain(NUMBER)


async def test_notes_of_a_worker_are_recorded(
    dispatchers: Dispatchers, moving: RecordedDispatcher, config: Config
) -> None:
    """What the last worker noted and could not report is delivered, and not for the next machine."""
    await _end_with_a_note(moving, config)

    await dispatchers.record_noted(NUMBER)

    states = {entry.text: entry.state for entry in await moving.entries()}
    assert states == {"message 5": "delivered", "message 6": "pending"}


async def test_notes_of_a_killed_gateway_are_recorded(
    store: Store, dispatchers: Dispatchers, moving: RecordedDispatcher, config: Config
) -> None:
    """A node that starts again records what was delivered here, wherever the number goes next."""
    await _end_with_a_note(moving, config)
    another = Dispatchers(store, config)

    await another.record_left(NUMBER)
    await another.record_left("380000000000")  # a number that was erased meanwhile has no notes

    states = {entry.text: entry.state for entry in await moving.entries()}
    assert states == {"message 5": "delivered", "message 6": "pending"}


async def test_notes_that_a_worker_has_forged_are_not_followed(
    dispatchers: Dispatchers, moving: RecordedDispatcher, config: Config
) -> None:
    """A worker that was taken over leads nobody out of its folder."""
    await moving.say(received(5))
    spool = config.spool_of(NUMBER)
    spool.mkdir(parents=True)
    (spool / DELIVERED_LOG).symlink_to("/dev/zero")
    await moving.close()

    await dispatchers.record_noted(NUMBER)

    assert [entry.state for entry in await moving.entries()] == ["pending"]


async def _end_with_a_note(moving: RecordedDispatcher, config: Config) -> None:
    """Let the worker end, with two messages, after it has noted that it delivered the first."""
    await moving.say(received(5), received(6))
    spool = config.spool_of(NUMBER)
    spool.mkdir(parents=True)
    notes = DeliveredLog(spool / DELIVERED_LOG)
    assert not await notes.contains(incoming(5))
    notes.add(incoming(5))
    await moving.close()
