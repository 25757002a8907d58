"""Pauses between connections grow, within bounds."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.process import warmup
from session_worker.protocol.contract import (
    Application,
    Assignment,
    PlanfixAccount,
    SessionChanged,
    SessionState,
    StoredSession,
)
from session_worker.telegram.connection.account import TelegramAccount
from session_worker.telegram.connection.connection import ConnectionTiming
from session_worker.telegram.connection.polling import pause_before_poll
from session_worker.telegram.warmup_server import WarmupServer

if TYPE_CHECKING:
    import pytest

    from session_worker.protocol.contract import Event
    from tests.support.clock import AutojumpClock

TIMING = ConnectionTiming(reconnection=Backoff(first=0.5, longest=30))


def test_the_first_attempt_is_made_at_once() -> None:
    """After a good connection the first attempt waits for nothing."""
    assert TIMING.pause_before(0) == 0


def test_pauses_grow_until_the_longest() -> None:
    """However long an outage lasts, attempts go on at a bounded rate that falls."""
    longest = [0.5, 1, 2, 4, 8, 16, 30, 30]
    pauses = [TIMING.pause_before(attempt) for attempt in range(1, 9)]

    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
    assert 15 <= TIMING.pause_before(10**9) <= 30


def test_a_poll_that_proved_nothing_is_repeated_soon() -> None:
    """The pauses grow from a moment to the usual interval."""
    pauses = [
        pause_before_poll(unproven, ConnectionTiming(push_grace=1, poll_interval=15))
        for unproven in range(7)
    ]

    assert pauses == [15, 1, 2, 4, 8, 15, 15]


class Reports:
    """What the session reports."""

    def __init__(self) -> None:
        self.states: list[SessionState] = []

    def put(self, event: Event) -> None:
        if isinstance(event, SessionChanged):
            self.states.append(event.state)

    async def report(self, event: Event) -> None:
        self.put(event)


class HeldLease:
    def held(self) -> bool:
        return True


async def hear_nothing(*_: object) -> None: ...


async def run_ten_minutes(account: TelegramAccount, autojump_clock: AutojumpClock) -> None:
    running = asyncio.create_task(account.run())
    began = autojump_clock.time()
    await asyncio.sleep(600)
    await account.stop()
    await running
    assert autojump_clock.time() >= began + 600


async def test_ten_minutes_without_telegram(
    autojump_clock: AutojumpClock, caplog: pytest.LogCaptureFixture
) -> None:
    """While Telegram refuses connections, few are tried, and it is reported once and logged twice."""
    caplog.set_level(logging.DEBUG, "session_worker")
    reports = Reports()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens, so that each attempt is refused at once
        assignment = assignment_to(unused.getsockname()[1])
        account = TelegramAccount(assignment, reports, HeldLease(), on_update=hear_nothing)
        await run_ten_minutes(account, autojump_clock)

    lost = [each for each in caplog.records if "to Telegram was lost" in each.message]
    assert 20 <= len(lost) <= 50
    assert len([each for each in lost if each.levelno > logging.DEBUG]) <= 2
    assert reports.states.count(SessionState.RECONNECTING) == 1


async def test_polled_connection_is_not_pinged(
    autojump_clock: AutojumpClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A poll proves more than a ping of the library, which would be asked for in vain every minute."""
    reports = Reports()
    async with warmup.serving(WarmupServer(warmup.KEY, has_news=False).serve) as port:
        assignment = warmup.assignment_to(port, 1, "/nonexistent")
        account = TelegramAccount(assignment, reports, HeldLease(), on_update=hear_nothing)
        await run_ten_minutes(account, autojump_clock)

    assert SessionState.ONLINE in reports.states
    assert "PingRequest" not in caplog.text  # of which the server would complain


def assignment_to(port: int) -> Assignment:
    session = StoredSession(
        dc_id=2, server_address="127.0.0.1", port=port, auth_key=bytes(range(256)), user_id=1
    )
    planfix = PlanfixAccount(url="https://acme.planfix.com/", token="key", provider_id="telegram")
    return Assignment(
        number="380500000001",
        epoch=0,
        deadline=1e9,
        application=Application(api_id=1, api_hash="hash"),
        session=session,
        planfix=planfix,
        spool="/nonexistent",
    )
