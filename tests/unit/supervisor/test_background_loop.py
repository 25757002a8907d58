"""Chores that are repeated in the background."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from supervisor.background_loop import PAUSE, BackgroundLoop, LoopOfEach
from supervisor.errors import DatabaseUnavailable
from tests.support.waiting import eventually

if TYPE_CHECKING:
    import pytest

    from tests.support.clock import AutojumpClock


class Chore:
    """Notes when it is called, and returns or raises what the test lists."""

    def __init__(self, *outcomes: float | Exception | None) -> None:
        self._outcomes = list(outcomes)
        self.times: list[float] = []
        self.is_over = asyncio.Event()

    async def __call__(self) -> float | None:
        self.times.append(asyncio.get_running_loop().time())
        outcome = self._outcomes.pop(0)
        if not self._outcomes:
            self.is_over.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_chore_is_repeated_until_it_is_over(autojump_clock: AutojumpClock) -> None:
    """Each round begins after the pause that the one before has returned; no pause ends it."""
    chore = Chore(5.0, 7.0, None)
    loop = BackgroundLoop("chore", chore, 1.0)
    loop.start()

    await chore.is_over.wait()
    await loop.stop()

    first, second, third = chore.times
    assert [round(second - first), round(third - second)] == [5, 7]


async def test_failed_chore_is_repeated(
    autojump_clock: AutojumpClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An error, even a bug, is logged and the chore is repeated after the pause for failures."""
    chore = Chore(DatabaseUnavailable(), ZeroDivisionError(), None)
    loop = BackgroundLoop("chore", chore, 3.0)
    loop.start()

    await chore.is_over.wait()
    await loop.stop()

    first, second, third = chore.times
    assert [round(second - first), round(third - second)] == [3, 3]
    failures = [record for record in caplog.records if record.getMessage().startswith("chore")]
    assert [record.levelno for record in failures] == [logging.WARNING, logging.ERROR]


async def test_stopped_loop_can_be_started_again(autojump_clock: AutojumpClock) -> None:
    """Stopping ends the pause at once; a loop that was never started can be stopped too."""
    chore = Chore(1000.0, None)
    loop = BackgroundLoop("chore", chore, 3.0)
    await loop.stop()

    loop.start()
    await asyncio.sleep(1)
    await loop.stop()
    assert not loop.is_started
    loop.start()
    await chore.is_over.wait()
    await loop.stop()

    assert len(chore.times) == 2


class Work:
    """The pieces of work of each number; notes when each of them was tried."""

    def __init__(self, **pieces: list[Exception | float]) -> None:
        self._pieces = pieces
        self.tried: list[tuple[str, float]] = []
        self.is_done = asyncio.Event()

    async def __call__(self, number: str) -> float | None:
        if not self._pieces[number]:
            self.is_done.set()
            return None
        self.tried.append((number, asyncio.get_running_loop().time()))
        piece = self._pieces[number].pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece


async def test_work_of_each_number_is_done_to_its_end(autojump_clock: AutojumpClock) -> None:
    """A piece that failed, even by a bug, is followed by the next after a pause; other numbers do not wait for it."""
    loop, work = LoopOfEach("work"), Work(a=[DatabaseUnavailable(), ValueError(), 0.0], b=[0.0])
    loop.wake("a")  # nothing can be done yet, so there is nothing to stop either
    await loop.stop()
    loop.chore = work
    loop.wake("a")
    loop.wake("b")

    await work.is_done.wait()
    assert [number for number, _ in work.tried] == ["a", "b"]
    work.is_done.clear()
    await work.is_done.wait()
    first, second, third = [at for number, at in work.tried if number == "a"]
    assert [round(second - first), round(third - second)] == [PAUSE, PAUSE]
    await loop.stop()


async def test_work_that_comes_meanwhile_is_not_lost() -> None:
    """A number that is woken while it is found to have no work is looked at once more."""
    loop, looks = LoopOfEach("work"), 0
    is_over = asyncio.Event()

    async def look(number: str) -> float | None:
        nonlocal looks
        looks += 1
        if looks == 1:
            loop.wake(number)
        else:
            is_over.set()
        return None

    loop.chore = look
    loop.wake("a")
    await is_over.wait()
    await loop.halt("a")

    assert looks == 2


async def test_work_that_has_to_wait_is_done_after_its_pause(
    autojump_clock: AutojumpClock,
) -> None:
    """What has to wait is looked at again after its pause, or as soon as something else has come."""
    loop, work = LoopOfEach("work"), Work(a=[60.0, 60.0, 0.0])
    loop.chore = work
    began = autojump_clock.time()
    loop.wake("a")
    await eventually(lambda: len(work.tried) == 2, awaited="the end of the pause")
    loop.wake("a")

    await work.is_done.wait()
    await loop.stop()
    assert [round(at - began) for _, at in work.tried] == [0, 60, 60]
