"""The traffic of the last hour."""

from __future__ import annotations

from supervisor.database.tables import Direction
from supervisor.monitoring.last_hour import MINUTE, MINUTES, LastHour, Way, whole_hour

NOW = 1_800_000_000.0 // MINUTE * MINUTE  # the beginning of a minute


def test_minutes_are_counted_apart() -> None:
    """Each minute has its messages both ways, and how long those took whose beginning is known."""
    hour = LastHour()
    hour.count(NOW, Direction.IN, 1.0)
    hour.count(NOW + 59, Direction.IN, 3.0)
    hour.count(NOW + 59, Direction.IN, None)
    hour.count(NOW + 60, Direction.OUT, None)

    first, second = hour.minutes(NOW + 60)

    assert (first.into, first.out) == (Way(3, 2, 4.0), Way())
    assert (first.into.delay, first.out.delay) == (2.0, None)
    assert (second.into, second.out.messages, second.out.delay) == (Way(), 1, None)


def test_memory_does_not_grow() -> None:
    """Of a day with traffic in every minute the last hour is kept, also if the clock is set back."""
    hour = LastHour()
    for minute in range(24 * 60):
        hour.count(NOW + minute * MINUTE, Direction.IN, 1.0)
    end = NOW + (24 * 60 - 1) * MINUTE
    hour.count(NOW, Direction.IN, 1.0)

    kept = hour.minutes(end)

    assert len(kept) == MINUTES
    assert kept[-1].into.messages == 2
    assert hour.minutes(end + 3600) == ()


def test_hours_of_many_are_added_up() -> None:
    """The sum has every minute, those without traffic too, and forgets what is older."""
    hours = [LastHour(), LastHour()]
    for hour in hours:
        hour.count(NOW - 3600, Direction.IN, 1.0)
        hour.count(NOW, Direction.OUT, 2.0)

    added = whole_hour([hour.minutes(NOW - 1) for hour in hours], NOW)
    later = whole_hour([hour.minutes(NOW) for hour in hours], NOW)

    assert [each.minute for each in later] == list(range(later[0].minute, later[0].minute + 60))
    assert later[-1].out == Way(2, 2, 4.0)
    assert sum(each.into.messages for each in later) == 0
    assert sum(each.into.messages for each in added) == 0
