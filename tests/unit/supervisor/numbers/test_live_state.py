"""Waiting for what becomes of a number."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from session_worker.protocol.contract import SessionState
from supervisor.numbers.state import LiveState, ProcessState, State
from supervisor.numbers.worker_pool import StartLimit

if TYPE_CHECKING:
    from tests.support.clock import AutojumpClock


async def test_waiting_ends_when_the_worker_has_spoken(autojump_clock: AutojumpClock) -> None:
    """Changes on the way wake nobody for good; the first settled state does."""
    live_state = LiveState()
    live_state.show(ProcessState.STARTING)
    began = autojump_clock.time()
    waiting = asyncio.create_task(live_state.wait_settled(60))

    for process, session in [
        (ProcessState.RUNNING, SessionState.CONNECTING),
        (ProcessState.BACKING_OFF, None),
        (ProcessState.STARTING, None),
        (ProcessState.RUNNING, SessionState.ONLINE),
    ]:
        await asyncio.sleep(1)
        live_state.show(process, session)

    assert await waiting is State.ONLINE
    assert autojump_clock.time() < began + 60


async def test_patience_has_an_end(autojump_clock: AutojumpClock) -> None:
    """After the time given the state is told as it is."""
    live_state = LiveState()
    live_state.show(ProcessState.STARTING)

    assert await live_state.wait_settled(10) is State.STARTING


async def test_rest_keeps_what_the_session_said(autojump_clock: AutojumpClock) -> None:
    """A banned number stays banned after its worker has ended."""
    live_state = LiveState()
    live_state.show(ProcessState.RUNNING, SessionState.BANNED)
    since = live_state.since

    live_state.rest()

    assert live_state.state is State.BANNED
    assert live_state.since == since


async def test_gate_lets_few_in_at_a_time(autojump_clock: AutojumpClock) -> None:
    """The next one enters when one has started, or has not said so for too long."""
    gate, entered = StartLimit(2), []

    async def begin(name: str, *, speaks_after: float) -> None:
        async with gate.enter() as slot:
            entered.append(name)
            slot.release_after(5)
            await asyncio.sleep(speaks_after)
            slot.release()
            await asyncio.sleep(100)

    async with asyncio.TaskGroup() as group:
        for name, after in [("a", 50.0), ("b", 1.0), ("c", 50.0), ("d", 50.0)]:
            group.create_task(begin(name, speaks_after=after))
        await asyncio.sleep(0.5)
        assert entered == ["a", "b"]
        await asyncio.sleep(1)
        assert entered == ["a", "b", "c"]
        await asyncio.sleep(4)
        assert entered == ["a", "b", "c", "d"]
