"""A server that hung is found back by a new question, a slow one by the patience of the first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.planfix.circuit_breaker import ask_until_answered

if TYPE_CHECKING:
    from tests.support.clock import AutojumpClock


class Server:
    """Answers questions after some seconds; those asked before it is back get no answer."""

    def __init__(self, back_at: float = 0.0, takes: float = 0.0, gives_up: float = 1e9) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._back_at = back_at
        self._takes = takes
        self._gives_up = gives_up
        self.waiting = 0
        self.most = 0
        self._asked_at: list[float] = []

    @property
    def now(self) -> float:
        return self._loop.time() - self._began

    def asked_by(self, moment: float) -> int:
        """Tell how many questions had come by then."""
        return sum(at <= moment for at in self._asked_at)

    async def ask(self) -> str:
        self._asked_at.append(self.now)
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await asyncio.sleep(self._takes if self.now >= self._back_at else self._gives_up)
            if self.now - self._takes < self._back_at:
                raise ConnectionError
            return "answer"
        finally:
            self.waiting -= 1


async def test_a_server_that_hung_is_found_by_the_next_question(
    autojump_clock: AutojumpClock,
) -> None:
    """The end of a hang is noticed within the pause between two questions."""
    server = Server(back_at=100.0)

    assert await ask_until_answered(server.ask) == "answer"

    assert server.now <= 103.1
    assert server.most == 4
    assert server.waiting == 0


async def test_a_slow_server_is_given_its_time(autojump_clock: AutojumpClock) -> None:
    """The first question stays, so that an answer that takes longer than all pauses is heard."""
    server = Server(takes=29.0)

    assert await ask_until_answered(server.ask) == "answer"

    assert server.now <= 30.0


async def test_the_first_failure_is_told(autojump_clock: AutojumpClock) -> None:
    """A question that fails ends the asking, no other is left behind."""
    server = Server(back_at=1000.0, gives_up=10.0)

    with pytest.raises(ConnectionError):
        await ask_until_answered(server.ask)

    assert server.now <= 11.0
    assert server.waiting == 0


async def test_whoever_may_not_ask_again_waits(autojump_clock: AutojumpClock) -> None:
    """Where another looks one question is enough, until it is our turn."""
    server = Server(back_at=100.0)

    assert await ask_until_answered(server.ask, lambda: server.now > 50.0) == "answer"

    assert server.now <= 103.1
    assert server.most == 4
    assert server.asked_by(50.0) == 1
