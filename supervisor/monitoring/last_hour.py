"""What one number delivered in each minute of the last hour, in bounded memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from supervisor.database.tables import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTES = 60
MINUTE = 60  # seconds


class Way(NamedTuple):
    """The messages of one direction, and how long those of them took whose beginning is known."""

    messages: int = 0
    timed: int = 0
    seconds: float = 0.0

    def with_one(self, seconds: float | None) -> Way:
        if seconds is None:
            return self._replace(messages=self.messages + 1)
        return Way(self.messages + 1, self.timed + 1, self.seconds + seconds)

    def with_all(self, other: Way) -> Way:
        return Way(
            self.messages + other.messages, self.timed + other.timed, self.seconds + other.seconds
        )

    @property
    def delay(self) -> float | None:
        """The seconds that a message took on average, if any was timed."""
        return self.seconds / self.timed if self.timed else None


class Minute(NamedTuple):
    """What was delivered in a minute, which is counted from 1970."""

    minute: int
    into: Way = Way()
    out: Way = Way()


@dataclass(slots=True)
class LastHour:
    """Counts deliveries; a minute without any takes no memory."""

    _minutes: deque[Minute] = field(default_factory=lambda: deque(maxlen=MINUTES))

    def count(self, now: float, direction: Direction, seconds: float | None) -> None:
        minute = int(now // MINUTE)
        # A clock that was set back must not spoil the order.
        if not self._minutes or self._minutes[-1].minute < minute:
            self._minutes.append(Minute(minute))
        newest = self._minutes[-1]
        if direction is Direction.IN:
            self._minutes[-1] = newest._replace(into=newest.into.with_one(seconds))
        else:
            self._minutes[-1] = newest._replace(out=newest.out.with_one(seconds))

    def minutes(self, now: float) -> tuple[Minute, ...]:
        """Return the minutes in which something was delivered, oldest first."""
        oldest = int(now // MINUTE) - MINUTES
        return tuple(each for each in self._minutes if each.minute > oldest)


def whole_hour(hours: Iterable[Iterable[Minute]], now: float) -> tuple[Minute, ...]:
    """Add up the hours of many numbers; the result has every minute, oldest first."""
    newest = int(now // MINUTE)
    found = {each: Minute(each) for each in range(newest - MINUTES + 1, newest + 1)}
    for minute in (each for hour in hours for each in hour):
        held = found.get(minute.minute)
        if held is not None:
            into, out = held.into.with_all(minute.into), held.out.with_all(minute.out)
            found[minute.minute] = Minute(minute.minute, into, out)
    return tuple(found.values())
