"""The connection of a worker that was killed may live on in its proxy."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.proxy import parse_proxy
from supervisor.store.values import Changes
from tests.process.workers.conftest import PATIENT, RunningGateway, make_gateway, new_number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.config import Config

BEHIND, DIRECT = "380500000001", "380500000002"
PROXY = parse_proxy("socks5://proxy.example.com:1080", may_be_private=False)
FOR_EVER = replace(PATIENT, linger=3600.0)


@pytest.fixture
async def patient(config: Config, sqlite_url: str) -> AsyncIterator[RunningGateway]:
    """Give a gateway that believes a proxy to hold a line for as long as the test lasts."""
    async with make_gateway(config, sqlite_url, FOR_EVER) as gateway:
        await gateway.create(new_number(BEHIND, proxy=PROXY))
        await gateway.create(new_number(DIRECT))
        house = RunningGateway(gateway)
        for number in (BEHIND, DIRECT):
            await house.until(number, "online")
        yield house


async def test_next_worker_waits_for_the_line_of_a_killed_one(patient: RunningGateway) -> None:
    """Where a proxy may hold its line, a worker that was killed is not followed at once."""
    os.kill(await patient.pid(BEHIND), signal.SIGKILL)
    await patient.until(BEHIND, "backing_off", restarts=1)

    os.kill(await patient.pid(DIRECT), signal.SIGKILL)
    await patient.until(DIRECT, "online", restarts=1)

    assert (await patient.gateway.show(BEHIND)).worker is None


async def test_change_of_proxy_waits_as_well(patient: RunningGateway) -> None:
    """Another proxy is another address of ours: the killed worker's line must be gone first."""
    os.kill(await patient.pid(BEHIND), signal.SIGKILL)
    await patient.until(BEHIND, "backing_off", restarts=1)

    await patient.gateway.change(BEHIND, Changes(without_proxy=True))
    await patient.until(BEHIND, "backing_off")

    assert (await patient.gateway.show(BEHIND)).worker is None


async def test_line_that_the_proxy_has_not_ended_counts_too(patient: RunningGateway) -> None:
    """A worker that was stopped, but saw no end of its line at the proxy, is not followed at once."""
    number = "380500000003"
    await patient.gateway.create(new_number(number, "line left open", proxy=PROXY))
    await patient.until(number, "online")

    await patient.gateway.restart(number)
    await patient.until(number, "backing_off")

    assert (await patient.gateway.show(number)).worker is None


async def test_worker_that_left_in_order_is_followed_at_once(patient: RunningGateway) -> None:
    """It has closed its line and seen the proxy do so: nothing is left to wait for."""
    before = await patient.pid(BEHIND)

    await patient.gateway.change(BEHIND, Changes(without_proxy=True))

    view = await patient.until(BEHIND, "online")
    assert view.proxy is None
    assert await patient.pid(BEHIND) != before
