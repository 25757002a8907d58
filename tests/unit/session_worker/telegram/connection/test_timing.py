"""Pauses between connections grow, within bounds."""

from __future__ import annotations

from session_worker.backoff import Backoff
from session_worker.telegram.connection.connection import ConnectionTiming
from session_worker.telegram.connection.polling import pause_before_poll

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
