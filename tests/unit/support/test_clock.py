from __future__ import annotations

import asyncio
import time

from tests.support.clock import AutojumpClock, autojumping

YEAR = 365 * 86400  # seconds


async def test_waiting_takes_no_time(autojump_clock: AutojumpClock) -> None:
    """A year of sleep passes at once for us, in full for the loop."""
    real, virtual = time.monotonic(), asyncio.get_running_loop().time()

    await asyncio.sleep(YEAR)

    assert time.monotonic() - real < YEAR / 1000
    assert round(autojump_clock.time() - virtual) == YEAR


async def test_timers_keep_their_order(autojump_clock: AutojumpClock) -> None:
    """Tasks wake in the order of their timers, whatever the order they started in."""
    woken: list[int] = []

    async def sleeper(seconds: int) -> None:
        await asyncio.sleep(seconds)
        woken.append(seconds)

    await asyncio.gather(*(sleeper(seconds) for seconds in (300, 1, 20)))

    assert woken == [1, 20, 300]


async def test_time_stands_still_while_code_runs(autojump_clock: AutojumpClock) -> None:
    """Work that takes real time takes none of the loop's."""
    before = autojump_clock.time()

    for _ in range(100):
        await asyncio.sleep(0)

    assert autojump_clock.time() == before


async def test_real_time_returns() -> None:
    """After the clock is taken away the loop follows the real time again."""
    loop = asyncio.get_running_loop()

    with autojumping(loop):
        await asyncio.sleep(YEAR)

    assert abs(loop.time() - time.monotonic()) < YEAR / 2
