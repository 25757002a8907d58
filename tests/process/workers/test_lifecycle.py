"""The life of a number with a real worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.errors import DatabaseUnavailable
from supervisor.store.numbers import Numbers
from supervisor.store.values import Changes

if TYPE_CHECKING:
    from supervisor.store.values import Number
    from tests.process.workers.conftest import RunningGateway


async def test_number_is_online_once_its_worker_says_so(house: RunningGateway) -> None:
    """A created number is online with a worker of its own."""
    view = await house.add("380500000001")

    assert (view.state, view.status) == ("online", "online")
    assert view.worker is not None


async def test_stopped_number_has_no_worker(house: RunningGateway) -> None:
    """After a stop the process is gone, the number is offline."""
    await house.add("380500000001")

    was_running = await house.gateway.stop("380500000001")

    view = await house.gateway.show("380500000001")
    assert was_running
    assert (view.state, view.status, view.worker) == ("stopped", "offline", None)


async def test_pulse_reaches_the_view(house: RunningGateway) -> None:
    """What the session says of itself travels with the pulse."""
    await house.add("380500000001")

    view = await house.until_true(
        "380500000001", lambda view: bool(view.worker and view.worker.memory), "measured"
    )

    assert view.last_heard is not None
    assert view.worker is not None
    assert 1_000_000 < view.worker.memory < 100_000_000
    assert view.worker.uptime >= 0


class UnwritableNumbers(Numbers):
    """Numbers in a database that can be read, but not written."""

    async def change(self, number: str, changes: Changes) -> Number:
        raise DatabaseUnavailable

    async def start(self, number: str) -> Number:
        raise DatabaseUnavailable


async def test_number_runs_on_if_the_database_fails_during_a_change(house: RunningGateway) -> None:
    """A number was stopped to be changed: if that fails, it is started again as it was."""
    await house.add("380500000001")
    store = house.gateway._store
    store.numbers = UnwritableNumbers(store.database, store.vault)

    with pytest.raises(DatabaseUnavailable):
        await house.gateway.change("380500000001", Changes(user_email="olena@example.com"))

    await house.until("380500000001", "online")
