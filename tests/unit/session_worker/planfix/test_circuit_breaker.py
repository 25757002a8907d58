"""A Planfix that is down is asked rarely, by one."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.planfix.circuit_breaker import LOOKOUT_PAUSE, CircuitBreaker, Traffic
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.clock import AutojumpClock


class Calls:
    """Calls that end when the test says so."""

    def __init__(self, gate: CircuitBreaker) -> None:
        self.gate = gate
        self.inside = 0
        self.done = 0
        self.go_on = asyncio.Event()

    async def make(self) -> None:
        async with self.gate.slot():
            self.inside += 1
            await self.go_on.wait()
            self.inside -= 1
            self.done += 1


async def test_only_so_many_call_at_once() -> None:
    """An open gate lets a few through, the others follow them."""
    calls = Calls(CircuitBreaker(traffic=Traffic(at_once=2)))
    tasks = [asyncio.create_task(calls.make()) for _ in range(5)]

    await eventually(lambda: calls.inside == 2)
    calls.go_on.set()
    await asyncio.gather(*tasks)

    assert calls.done == 5


async def test_after_a_failure_one_looks_first() -> None:
    """A closed gate opens for a single call, for all once that has succeeded."""
    gate = CircuitBreaker(Backoff(first=0.02, longest=0.02))
    gate.failed()
    calls = Calls(gate)
    tasks = [asyncio.create_task(calls.make()) for _ in range(4)]

    await eventually(lambda: calls.inside == 1)
    gate.succeeded()
    await eventually(lambda: calls.inside == 1)
    calls.go_on.set()
    await asyncio.gather(*tasks)

    assert calls.done == 4


async def test_calls_that_fail_together_count_once() -> None:
    """The pause grows with each outage found, not with each call it hit."""
    gate = CircuitBreaker(Backoff(first=100.0, longest=1000.0))

    first, second = gate.failed(), gate.failed()

    assert abs(second - first) < 1
    assert 40 <= first - time.time() <= 100


async def test_calls_keep_to_a_rate(autojump_clock: AutojumpClock) -> None:
    """A backlog goes out at a bounded rate."""
    gate = CircuitBreaker(traffic=Traffic(per_second=1000.0, burst=2.0))
    began = asyncio.get_running_loop().time()

    for _ in range(12):
        async with gate.slot():
            pass

    assert asyncio.get_running_loop().time() - began >= 0.009


async def test_shutting_waits_for_those_inside() -> None:
    """Whoever is inside may end, nobody else comes in."""
    gate = CircuitBreaker()
    calls = Calls(gate)
    inside = asyncio.create_task(calls.make())
    await eventually(lambda: calls.inside)
    shutting = asyncio.create_task(gate.close(5.0))
    await asyncio.sleep(0)
    late = asyncio.create_task(calls.make())

    calls.go_on.set()
    await asyncio.gather(shutting, inside)

    assert calls.done == 1
    late.cancel()


async def test_a_planfix_that_is_away_is_looked_for_often(autojump_clock: AutojumpClock) -> None:
    """However long the outage, the next look is due in time for a message 5 s after its end."""
    gate = CircuitBreaker()

    pauses = [await _pause_after_failure(gate, is_away=True) for _ in range(1200)]

    assert max(pauses) < LOOKOUT_PAUSE + 0.01
    assert min(pauses[5:]) > LOOKOUT_PAUSE / 2 - 0.01


async def test_answers_that_get_lost_are_met_ever_more_seldom(
    autojump_clock: AutojumpClock,
) -> None:
    """A Planfix that is there, but confirms nothing, gets few repeats of what it may have."""
    gate = CircuitBreaker()

    pauses = [await _pause_after_failure(gate, is_away=False) for _ in range(12)]

    assert pauses[-1] >= 150


async def test_an_outage_does_not_count_against_what_follows(
    autojump_clock: AutojumpClock,
) -> None:
    """After an hour of looking a single lost answer costs a short pause."""
    gate = CircuitBreaker()
    for _ in range(1200):
        await _pause_after_failure(gate, is_away=True)

    assert await _pause_after_failure(gate, is_away=False) <= 1.0


async def test_where_another_number_looks_one_waits_for_its_word(
    autojump_clock: AutojumpClock,
) -> None:
    """A number that is told that another looks tries seldom, at once when it is told to."""
    gate = CircuitBreaker()
    gate.failed(is_away=True)
    gate.watch(is_lookout=False, try_now=False)
    assert gate.failed(is_away=True) - time.time() > LOOKOUT_PAUSE
    began = asyncio.get_running_loop().time()

    gate.watch(is_lookout=True, try_now=True)

    async with gate.slot():
        assert asyncio.get_running_loop().time() - began < LOOKOUT_PAUSE


async def test_what_planfix_asks_for_is_kept_to() -> None:
    """A wish for patience holds, whoever has found Planfix back."""
    gate = CircuitBreaker()
    gate.failed(retry_after=600.0, is_away=True)

    gate.watch(is_lookout=True, try_now=True)

    assert gate.failed(is_away=True) - time.time() > 590


async def test_each_end_of_an_outage_is_told_once() -> None:
    """Whoever listens hears of an outage at its first failure, then again only of its end."""
    gate, told = CircuitBreaker(Backoff(first=0.0)), list[bool]()
    gate.tell = told.append

    for _ in range(3):
        gate.failed(is_away=True)
    gate.succeeded()
    gate.succeeded()

    assert told == [True, False]


async def test_silence_is_told_before_the_question_fails() -> None:
    """A number whose question hangs says so at once; only the one that looks asks on."""
    gate, told = CircuitBreaker(), list[bool]()
    gate.tell = told.append

    assert gate.may_ask_again()
    gate.watch(is_lookout=False, try_now=False)
    assert not gate.may_ask_again()
    gate.succeeded()

    assert told == [True, False]


async def _pause_after_failure(gate: CircuitBreaker, *, is_away: bool) -> float:
    """Let a call fail; return how long the next one has to wait."""
    gate.failed(is_away=is_away)
    began = asyncio.get_running_loop().time()
    async with gate.slot():
        return asyncio.get_running_loop().time() - began
