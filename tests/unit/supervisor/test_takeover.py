"""A gateway begins its work as soon as the data is its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import StandingBy
from supervisor.ownership import Takeover

if TYPE_CHECKING:
    from tests.support.clock import AutojumpClock


class SlowOwnership:
    """Data whose owner is known late."""

    def __init__(self) -> None:
        self.freed = asyncio.Event()
        self.reason: str | None = None

    @property
    def held(self) -> bool:
        return self.freed.is_set()

    async def acquire(self) -> None:
        await self.freed.wait()

    def release(self) -> None:
        self.freed.clear()


async def begin() -> None:
    """Have nothing to start."""


async def test_slow_machine_is_no_other_gateway(autojump_clock: AutojumpClock) -> None:
    """While nobody has refused the data, the start waits, however long the first try takes."""
    ownership = SlowOwnership()
    takeover = Takeover(ownership, begin)
    starting = asyncio.create_task(takeover.start())

    await asyncio.sleep(60)
    assert not starting.done()
    ownership.freed.set()
    await starting

    takeover.require()


async def test_data_of_another_gateway_is_waited_for_aside(autojump_clock: AutojumpClock) -> None:
    """Who is refused the data has started, says whose it is, and works once it is free."""
    ownership = SlowOwnership()
    ownership.reason = "standing by: process 1 owns the data"
    takeover = Takeover(ownership, begin)

    await takeover.start()

    with pytest.raises(StandingBy, match="process 1"):
        takeover.require()
    ownership.reason = None
    ownership.freed.set()
    await asyncio.sleep(1)
    takeover.require()
    await takeover.stop()
