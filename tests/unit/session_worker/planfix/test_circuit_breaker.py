"""A Planfix that is down is asked rarely, by one."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.planfix.circuit_breaker import CircuitBreaker, Traffic
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

    before = time.time()
    first, second = gate.failed(), gate.failed()

    for next_try in (first, second):
        assert before + 40 <= next_try <= time.time() + 100


async def test_calls_keep_to_a_rate(autojump_clock: AutojumpClock) -> None:
    """A backlog goes out at a bounded rate."""
    gate = CircuitBreaker(traffic=Traffic(per_second=1000.0, burst=2.0))
    began = time.monotonic()

    for _ in range(12):
        async with gate.slot():
            pass

    assert time.monotonic() - began >= 0.009


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
