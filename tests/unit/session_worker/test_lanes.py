"""Work keeps its order within a lane, waits for no other lane."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from session_worker.lanes import Lanes
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import pytest


async def test_a_lane_keeps_its_order_alone() -> None:
    """A lane that waits holds up only itself."""
    done: list[str] = []
    go_on = asyncio.Event()

    async def work(item: str) -> None:
        if item == "a1":
            await go_on.wait()
        done.append(item)

    lanes = Lanes(work)
    for item in ("a1", "a2", "b1", "b2"):
        lanes.put(item[0], item)
    await eventually(lambda: len(done) == 2)
    assert done == ["b1", "b2"]

    go_on.set()

    await eventually(lambda: len(done) == 4)
    assert done[2:] == ["a1", "a2"]
    await lanes.close()


async def test_a_failure_stops_no_lane(caplog: pytest.LogCaptureFixture) -> None:
    """Work that fails is logged, the work behind it goes on."""
    done: list[int] = []

    async def work(item: int) -> None:
        if item == 0:
            raise ValueError("bad work")
        done.append(item)

    lanes = Lanes(work)
    with caplog.at_level(logging.ERROR):
        lanes.put("lane", 0)
        lanes.put("lane", 1)
        await eventually(lambda: done == [1])

    assert "bad work" in caplog.text


async def test_closing_drops_what_waits() -> None:
    """After closing nothing of the work goes on."""
    begun: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        await asyncio.Event().wait()

    lanes = Lanes(work)
    lanes.put("lane", 1)
    lanes.put("lane", 2)
    await eventually(lambda: begun)

    await lanes.close()

    assert begun == [1]
