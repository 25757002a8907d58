"""How many strangers a number may write to, and when: decisions over values and a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.governor.budget import (
    DAY,
    Grant,
    Settings,
    Suspicion,
    Usage,
    expected_grants,
    next_look_up,
    outlook,
    suspicion_after,
)

BEGAN = 1_700_000_000.0
NEW = Usage(began=BEGAN)
EVEN = Settings(first_contacts_per_day=24, growth_per_day=0, burst=4, variance=0.0)


def run(settings: Settings, peers: range, usage: Usage = NEW, now: float = BEGAN) -> list[float]:
    """Return how long after the beginning each of these is written to, one after the other."""
    return [moment - BEGAN for moment in expected_grants(settings, usage, peers, now)]


def test_dozens_of_strangers_go_at_once() -> None:
    """With the defaults, a fresh number may write to three dozen people within a minute."""
    assert run(Settings(), range(36)) == [0.0] * 36


def test_the_rest_is_spread_over_the_day() -> None:
    """After the burst each one waits for its share of the day."""
    assert run(EVEN, range(7)) == [0.0] * 4 + [3600.0, 7200.0, 10800.0]


def test_pauses_differ_but_stay_the_same_after_a_restart() -> None:
    """The variance makes each pause another one, and drawing again would give nothing."""
    settings = replace(EVEN, variance=0.5)

    moments = run(settings, range(12))

    pauses = {round(after - before) for before, after in pairwise(moments[5:])}
    assert len(pauses) == len(moments[6:])
    assert all(1800 <= pause <= 5400 for pause in pauses)
    assert run(settings, range(12)) == moments


@given(
    per_day=st.integers(1, 40),
    burst=st.integers(1, 60),
    variance=st.floats(0, 0.9),
    count=st.integers(1, 150),
)
def test_no_day_has_more_than_its_number(
    per_day: int, burst: int, variance: float, count: int
) -> None:
    """Whatever is set, no 24 hours hold more first contacts than the day allows, and order is kept."""
    settings = Settings(True, per_day, 0, per_day, burst, variance)

    moments = run(settings, range(count))

    assert moments == sorted(moments)
    far = zip(moments, moments[per_day:], strict=False)
    assert all(later - earlier >= DAY - 1e-3 for earlier, later in far)


@given(age=st.floats(0, 10_000 * DAY), more=st.floats(0, 100 * DAY))
def test_budget_grows_with_age(age: float, more: float) -> None:
    """An older number may write to more strangers, up to a limit."""
    settings = Settings()

    assert settings.per_day(age) <= settings.per_day(age + more) <= settings.first_contacts_at_most


@given(held=st.lists(st.integers(1, 10**12), min_size=1, max_size=80, unique=True))
def test_stepwise_grants_are_those_expected(held: list[int]) -> None:
    """Granting one by one, as time passes, keeps to the times that were shown."""
    settings = replace(EVEN, variance=0.3)
    expected = expected_grants(settings, NEW, held, BEGAN)
    usage = replace(NEW, held=tuple(held))
    for peer_id, moment in zip(held[:30], expected, strict=False):
        [now] = expected_grants(settings, usage, [peer_id], moment)
        assert now == pytest.approx(moment)
        usage = usage.with_grants([peer_id], now)


def test_suspicion_ends_in_small_steps() -> None:
    """When a suspicion ends, one stranger is written to, not all that have waited."""
    usage = replace(NEW, suspicion=Suspicion("PEER_FLOOD", BEGAN + 7200.0))

    assert run(EVEN, range(3), usage) == [7200.0, 10800.0, 14400.0]


def test_suspicions_last_longer_each_time() -> None:
    """One suspicion counts once; the next ones last four times as long, a day at most."""
    first = suspicion_after(None, "PEER_FLOOD", BEGAN)
    same = suspicion_after(first, "PEER_FLOOD", BEGAN + 10)
    second = suspicion_after(first, "PEER_FLOOD", first.until + 1)
    third = suspicion_after(second, "FROZEN_METHOD_INVALID", second.until + 1)
    much_later = suspicion_after(third, "PEER_FLOOD", third.until + 2 * DAY)

    assert same is first
    assert first.until - BEGAN == 3600.0
    assert second.until - first.until == 4 * 3600.0 + 1
    assert third.until - second.until == 16 * 3600.0 + 1
    assert much_later.times == 1


def test_look_ups_have_a_budget_of_their_own() -> None:
    """Phones may be looked up until those of the last day are as many as is safe."""
    settings = Settings(look_ups_per_day=2)
    used = NEW.with_look_up(BEGAN).with_look_up(BEGAN + 60)

    assert next_look_up(settings, NEW, BEGAN) == BEGAN
    assert next_look_up(settings, used, BEGAN + 120) == BEGAN + DAY
    assert next_look_up(settings, used, BEGAN + DAY) == BEGAN + DAY


def test_outlook_counts_what_is_left() -> None:
    """What is shown is what may still be used today."""
    now = BEGAN + DAY
    grants = (Grant(BEGAN - 1, 1), Grant(now - 60, 2), Grant(now - 30, 3))
    usage = replace(NEW, grants=grants, held=(4,), look_ups=(now - 5,))

    shown = outlook(EVEN, usage, now)

    assert (shown.per_day, shown.used, shown.left, shown.waiting) == (24, 2, 22, 1)
    assert (shown.look_ups_used, shown.look_ups_left) == (1, 299)
    assert shown.next_at is None


def test_settings_of_another_version_are_read() -> None:
    """A field that this version does not know is ignored, and one that is missing has its default."""
    stored = Settings.from_text('{"burst": 3, "from_the_future": 1}')

    assert stored == Settings(burst=3)
    assert Settings.from_text(stored.as_text()) == stored
