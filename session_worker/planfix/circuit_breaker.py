"""Limits the calls to Planfix, tries single ones after a failure and decides what a failure means."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from session_worker.backoff import Backoff
from session_worker.planfix.answer import (
    PlanfixAnswerLost,
    PlanfixForbidden,
    PlanfixRejected,
    PlanfixUnauthorized,
    PlanfixUnavailable,
)
from session_worker.protocol.messages import Failure, FailureCode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from session_worker.planfix.answer import PlanfixError


# So short that a message arrives within 5 s after Planfix is back.
LOOKOUT_PAUSE = 3.0  # seconds, at most, between two calls to a Planfix that is away
SELDOM_PAUSE = 60.0  # seconds, while another number of the same account makes these calls
GRACE = 2.0  # seconds for running calls when the worker stops


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much may go to Planfix."""

    at_once: int = 4  # calls
    per_second: float = 100.0  # calls
    burst: float = 100.0  # calls


class CircuitBreaker:
    """Lets few calls through at a time, and after a failure only one until one succeeds."""

    def __init__(
        self,
        backoff: Backoff | None = None,
        traffic: Traffic | None = None,
        grace: float = GRACE,
    ) -> None:
        """Give running calls `grace` seconds when the worker stops."""
        self.grace = grace
        self._backoff = backoff or Backoff()
        self._traffic = traffic or Traffic()
        self._slots = asyncio.Semaphore(self._traffic.at_once)
        self._changed = asyncio.Event()
        self._failures = 0
        self._closed_until = 0.0
        self._probing = False
        self._shut = False
        self._inside = 0
        self._posting = 0
        self._allowance = self._traffic.burst
        self._counted = 0.0
        self._asked_for_until = 0.0
        self._is_away = False
        self._has_told = False
        self._is_lookout = True
        self.tell: Callable[[bool], None] | None = None
        """Is called when Planfix goes away, and again when it is back."""

    @property
    def is_suspect(self) -> bool:
        """Whether the last call failed, so that a harmless question should go before any message."""
        return self._failures > 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it during a call."""
        async with self._slots:
            await self._until_open()
            is_probe = self._probing = self._failures > 0
            self._inside += 1
            try:
                yield
            finally:
                self._inside -= 1
                self._probing = self._probing and not is_probe
                self._announce()

    @asynccontextmanager
    async def posting(self) -> AsyncIterator[None]:
        """Hold a place, within a slot, for what must not be done twice; `drain` lets none begin."""
        while self._shut:
            await self._change()
        self._posting += 1
        try:
            yield
        finally:
            self._posting -= 1
            self._announce()

    def succeeded(self) -> None:
        """Record that Planfix answers."""
        self._failures = 0
        self._closed_until = self._asked_for_until = 0.0
        self._note(is_away=False)
        self._announce()

    def failed(
        self, retry_after: float | None = None, at_least: float = 0.0, *, is_away: bool = False
    ) -> float:
        """Record a failure; returns when to try next, in seconds since 1970.

        Calls that run together fail together, so they count as one failure.
        """
        now = _now()
        if now >= self._closed_until:
            self._failures = self._failures + 1 if is_away == self._is_away else 1
            self._note(is_away=is_away)
            pause = self._pause()
            self._asked_for_until = now + max(self._backoff.asked(retry_after), at_least)
            self._closed_until = max(now + pause, self._asked_for_until)
        return time.time() + self._closed_until - now

    def may_ask_again(self) -> bool:
        """Note that a question has gone unanswered for long; return whether this number may repeat it."""
        self._note(is_away=True)
        return self._is_lookout

    def watch(self, *, is_lookout: bool, try_now: bool) -> None:
        """Call a Planfix that is away often, or rarely if another number is the lookout."""
        self._is_lookout = is_lookout
        if not self._is_away:
            return
        if try_now:
            self._has_told = False
        due = _now() + (0.0 if try_now else self._pause())
        self._closed_until = max(due, self._asked_for_until)
        self._announce()

    async def drain(self) -> None:
        """Let no further call start; return when none is running that must not be repeated."""
        self._shut = True
        while self._posting:
            await self._change()

    async def close(self, grace: float) -> None:
        """Let no further call start, and wait a little for those that are running."""
        self._shut = True
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._inside:
                    await self._change()

    def _pause(self) -> float:
        """Choose a pause, which stays short for the lookout while Planfix is away."""
        backoff = self._backoff
        if self._is_away and self._is_lookout:
            backoff = replace(backoff, longest=min(backoff.longest, LOOKOUT_PAUSE))
        elif self._is_away:
            seldom = min(backoff.longest, SELDOM_PAUSE)
            backoff = replace(backoff, first=seldom, longest=seldom)
        return backoff.pause(self._failures)

    def _note(self, *, is_away: bool) -> None:
        is_news = is_away != self._has_told
        self._is_away = self._has_told = is_away
        if is_news and self.tell is not None:
            self.tell(is_away)

    async def _until_open(self) -> None:
        while self._shut or self._probing or (wait := self._wait()) > 0:
            if self._shut or self._probing:
                await self._change()
            else:
                await self._change(wait)
        self._allowance -= 1

    def _wait(self) -> float:
        """Return how long to wait until the next call, in seconds."""
        now = _now()
        earned = (now - self._counted) * self._traffic.per_second
        self._allowance = min(self._traffic.burst, self._allowance + earned)
        self._counted = now
        for_rate = (1 - self._allowance) / self._traffic.per_second
        return max(self._closed_until - now, for_rate, 0.0)

    async def _change(self, limit: float | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit):
                await self._changed.wait()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _now() -> float:
    """Return the time of the event loop, which all waiting here uses."""
    return asyncio.get_running_loop().time()


PAUSE_FOR_PEOPLE = 300.0  # seconds; such a failure lasts until a person repairs the cause


def failure_of(error: PlanfixError, circuit_breaker: CircuitBreaker) -> Failure:
    """Open the circuit if other calls would fail alike, and say when to try again, if ever."""
    match error:
        case PlanfixRejected():
            circuit_breaker.succeeded()
            return Failure(code=FailureCode.REJECTED, detail=str(error))
        case PlanfixUnauthorized():
            code, next_try = (
                FailureCode.UNAUTHORIZED,
                circuit_breaker.failed(at_least=PAUSE_FOR_PEOPLE),
            )
        case PlanfixForbidden():
            code, next_try = (
                FailureCode.FORBIDDEN,
                circuit_breaker.failed(at_least=PAUSE_FOR_PEOPLE),
            )
        case PlanfixAnswerLost():
            code, next_try = FailureCode.ANSWER_LOST, circuit_breaker.failed()
        case PlanfixUnavailable(retry_after=wanted):
            code, next_try = FailureCode.UNAVAILABLE, circuit_breaker.failed(wanted, is_away=True)
        case _:
            raise AssertionError(f"no verdict on {error!r}")
    return Failure(code=code, detail=str(error), next_try=next_try)


ASK_AGAIN_AFTER = 3.0  # seconds between two questions
MOST_ASKED = 4  # questions that wait at a time

T = TypeVar("T")


async def ask_until_answered(
    ask: Callable[[], Awaitable[T]], may_repeat: Callable[[], bool] = lambda: True
) -> T:
    """Return the first answer, or raise the first failure.

    A server that hung leaves the questions of that time unanswered, so only a new one finds out
    that it is back. The first question keeps its whole patience, for a server that is just slow.
    Whenever no answer has come for a while, `may_repeat` decides whether to ask once more.
    """
    asked: list[asyncio.Task[T]] = []
    try:
        asked.append(asyncio.create_task(_run(ask)))
        while not (done := (await _first_of(asked))):
            if may_repeat():
                if len(asked) == MOST_ASKED:
                    await _cancel([asked.pop(1)])
                asked.append(asyncio.create_task(_run(ask)))
        return done.pop().result()
    finally:
        await _cancel(asked)


async def _first_of(asked: list[asyncio.Task[T]]) -> set[asyncio.Task[T]]:
    done, _ = await asyncio.wait(
        asked, timeout=ASK_AGAIN_AFTER, return_when=asyncio.FIRST_COMPLETED
    )
    return done


async def _run(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


async def _cancel(tasks: list[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
