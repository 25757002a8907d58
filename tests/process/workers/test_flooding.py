"""A worker that was taken over harms its own number over the pipe, nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from supervisor.processes.worker_run import Limits
from tests.process.workers.conftest import POLICY, RunningGateway, make_gateway, new_number
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy import Connection, TextClause

    from supervisor.config import Config

NEIGHBOUR = "380500000001"
HOSTILE = "380500000099"
REFUSE = {
    "sqlite": (
        "CREATE TRIGGER refuse BEFORE INSERT ON entity WHEN NEW.name = 'forbidden'"
        " BEGIN SELECT RAISE(ABORT, 'no'); END"
    ),
    "postgresql": "ALTER TABLE entity ADD CHECK (name <> 'forbidden')",
}


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, session_factory="tests.fakes.flooding:FloodingSession", language="en")


@pytest.fixture
async def house(config: Config, database_url: str) -> AsyncIterator[RunningGateway]:
    async with make_gateway(config, database_url) as gateway:
        house = RunningGateway(gateway)
        await house.add(NEIGHBOUR)
        yield house


@pytest.mark.parametrize(
    "speech",
    [
        *("many ids", "many positions", "many entities", "large frame", "huge row"),
        *("late pulse", "fat pulse", "unasked pulses"),
        *("login", "login page", "failed login"),
    ],
)
async def test_what_breaks_the_bounds_is_parked(house: RunningGateway, speech: str) -> None:
    """One event that is too large, too odd or out of turn ends that number, with the reason, at once."""
    await house.add(HOSTILE, speech)

    parked = await house.until(HOSTILE, "parked")
    neighbour = await house.until(NEIGHBOUR, "online")

    assert parked.last_error is not None
    assert parked.last_error.code == "bounds_broken"
    assert parked.restarts == 0
    assert parked.last_error.message.count("(") == 1
    assert (parked.state, neighbour.restarts) == ("parked", 0)
    assert await house.gateway.audit.list(HOSTILE, None, 100) == ()
    assert not (await house.gateway.logins.watch(HOSTILE)).is_open


@pytest.mark.parametrize("way", ["exit 66", "exit 70", "exit 71"])
async def test_no_exit_code_escapes_the_budget(house: RunningGateway, way: str) -> None:
    """Whatever a worker claims to have ended of, it is started so often, then no more."""
    await house.add(HOSTILE, way)

    parked = await house.until(HOSTILE, "parked")

    assert parked.restarts == POLICY.budget
    assert parked.last_error is not None
    assert parked.last_error.code == "worker_crashed"
    assert (await house.gateway.show(NEIGHBOUR)).restarts == 0


async def test_nul_is_kept_without_it(house: RunningGateway) -> None:
    """A name with NUL in it reaches both databases as a name; the number runs on."""
    await house.add(HOSTILE, "nul")
    store = house.gateway._store
    journal = await store.journals.open(HOSTILE)

    async def are_kept() -> bool:
        return bool(await store.entities.list(HOSTILE) and await journal.memories([1]))

    await eventually(are_kept)
    (entity,) = await store.entities.list(HOSTILE)

    assert (entity.name, entity.username) == ("ab", "")
    assert (await house.gateway.show(HOSTILE)).restarts == 0


async def test_what_the_database_refuses_is_parked(
    house: RunningGateway, database_url: str
) -> None:
    """What would fail for ever is no outage: that number is left alone, with the reason."""
    refuse = text(REFUSE[database_url.partition("+")[0]])
    await house.gateway._store.database.write(_execute, refuse)
    await house.add(HOSTILE, "forbidden")

    parked = await house.until(HOSTILE, "parked")

    assert parked.last_error is not None
    assert (parked.last_error.code, parked.restarts) == ("data_refused", 0)
    assert "forbidden" not in parked.last_error.message
    await house.until(NEIGHBOUR, "online")


async def test_flood_waits_in_the_pipe(house: RunningGateway) -> None:
    """A worker that never stops talking fills the gateway's memory to its limit; others are served."""
    await house.gateway.create(new_number(HOSTILE, "flood"))
    store, limit = house.gateway._store, Limits().weight
    heaviest = 0

    async def is_flooded() -> bool:
        nonlocal heaviest
        worker = house.gateway._keepers.keeper_of(HOSTILE)._worker
        heaviest = max(heaviest, worker._events.weight if worker else 0)
        return len(await store.entities.list(HOSTILE)) > 500

    await eventually(is_flooded)
    await house.gateway.restart(NEIGHBOUR)
    await house.until(NEIGHBOUR, "online")

    assert 0 < heaviest < limit + 1024 * 1024
    assert (await house.gateway.show(HOSTILE)).state == "starting"


def _execute(connection: Connection, statement: TextClause) -> None:
    connection.execute(statement)
