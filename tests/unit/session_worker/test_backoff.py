"""Pauses grow, never beyond what is sensible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_worker.backoff import Backoff

BACKOFF = Backoff(first=1.0, longest=300.0)


def test_pauses_double_up_to_the_longest() -> None:
    """Each failure doubles the pause until it is long enough."""
    assert [BACKOFF.pause(n, jitter=1.0) for n in (1, 2, 3, 9, 10)] == [1, 2, 4, 256, 300]


@given(st.integers(-5, 10**6), st.none() | st.floats(-1e9, 1e9))
def test_a_pause_is_within_bounds(attempt: int, retry_after: float | None) -> None:
    """No attempt, no wish of the other side leads out of the bounds."""
    assert 0.5 <= BACKOFF.pause(attempt, retry_after) <= 3600.0


def test_a_wish_is_honoured() -> None:
    """The other side may ask for more patience, not for less, not for ever."""
    assert BACKOFF.pause(1, 120.0, jitter=0.0) == 120.0
    assert BACKOFF.pause(9, 1.0, jitter=1.0) == 256.0
    assert BACKOFF.pause(1, 1e9, jitter=0.0) == 3600.0
