"""When a worker that works well is replaced: decisions over measurements and a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config import Lifetime
from supervisor.processes.ageing import Age

LIFETIME = Lifetime()
MUCH = LIFETIME.memory + 1
LITTLE = 10 << 20
DAY = 24 * 3600.0


def test_small_young_worker_stays() -> None:
    """Nothing is done to a worker within its limits, busy or not."""
    age = Age(0.0).measured(DAY, LITTLE, LIFETIME, 0.0)

    assert not age.is_over(LIFETIME, 10 * DAY, is_quiet=True)


def test_grown_worker_waits_for_a_quiet_moment() -> None:
    """It is replaced when it has nothing to do, and while it always has, only after a longer time."""
    age = Age(0.0).measured(DAY, MUCH, LIFETIME, 0.0).measured(DAY, MUCH, LIFETIME, 20.0)

    assert not age.is_over(LIFETIME, LIFETIME.peak - 1, is_quiet=True)
    assert age.is_over(LIFETIME, LIFETIME.peak, is_quiet=True)
    assert not age.is_over(LIFETIME, LIFETIME.patience - 1, is_quiet=False)
    assert age.is_over(LIFETIME, LIFETIME.patience, is_quiet=False)


def test_peak_that_passes_is_forgiven() -> None:
    """Memory that was used for a while and given back is no reason."""
    age = Age(0.0).measured(DAY, MUCH, LIFETIME, 0.0).measured(DAY, LITTLE, LIFETIME, 1.0)

    assert not age.is_over(LIFETIME, 1000.0, is_quiet=True)
    assert age.reason == ""


def test_new_worker_is_not_replaced_on_and_on() -> None:
    """A number that needs that much memory from its start is left in peace for a while."""
    age = Age(0.0).measured(LIFETIME.shortest - 1, 10 * MUCH, LIFETIME, 0.0)

    assert age.over_since is None


def test_old_worker_is_replaced() -> None:
    """Age is a reason too, and is named."""
    age = Age(0.0).measured(LIFETIME.age + 1, LITTLE, LIFETIME, 0.0)

    assert age.is_over(LIFETIME, LIFETIME.peak, is_quiet=True)
    assert age.reason == "it is 168 hours old"


@pytest.mark.parametrize(("chance", "share"), [(0.0, 1.0), (0.5, 0.875), (0.999, 0.75)])
def test_limits_differ_among_workers(chance: float, share: float) -> None:
    """Workers that were started together do not end together."""
    below = Age(chance).measured(LIFETIME.age * share * 0.99, LITTLE, LIFETIME, 0.0)
    above = Age(chance).measured(LIFETIME.age * share * 1.01, LITTLE, LIFETIME, 0.0)

    assert below.over_since is None
    assert above.over_since == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=30))
def test_only_time_over_the_limit_counts(steps: list[tuple[float, bool]]) -> None:
    """However it goes up and down, what counts is how long it has been over the limit without a break."""
    age, moment, since = Age(0.0), 0.0, None
    for step, is_over in steps:
        moment += step
        age = age.measured(DAY, MUCH if is_over else LITTLE, LIFETIME, moment)
        since = (moment if since is None else since) if is_over else None
    expected = since is not None and moment - since >= LIFETIME.peak

    assert age.is_over(LIFETIME, moment, is_quiet=True) is expected
