"""Pauses between connections grow, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_worker.telegram.connection.timing import (
    ConnectionTiming,
    pause_before,
    pause_before_poll,
)

PACE = ConnectionTiming(first_pause=0.5, longest_pause=30)


def test_a_cut_is_met_at_once() -> None:
    """The first attempt after a good line waits for nothing."""
    assert pause_before(0, PACE) == 0


def test_pauses_grow_until_the_longest() -> None:
    """Each failure doubles the pause, up to a bound."""
    pauses = [pause_before(attempt, PACE, jitter=1) for attempt in range(1, 9)]

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(1, 10**9), st.floats(0, 1))
def test_no_pause_is_endless_or_nothing(attempt: int, jitter: float) -> None:
    """However long an outage lasts, attempts go on at a bounded rate."""
    assert 0.25 <= pause_before(attempt, PACE, jitter) <= 30


def test_a_poll_that_proved_nothing_is_repeated_soon() -> None:
    """The pauses grow from a moment to the usual interval."""
    pauses = [
        pause_before_poll(unproven, ConnectionTiming(settle=1, poll_interval=15))
        for unproven in range(7)
    ]

    assert pauses == [15, 1, 2, 4, 8, 15, 15]
