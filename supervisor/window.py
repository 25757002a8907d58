"""How much of a number's work one way may be with its worker at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The most rows a worker may hold.

    Rows of lanes that rest count only for `in_all`, so that a few chats in trouble do not keep
    all others waiting.
    """

    of_lane: int = 32
    at_work: int = 256
    in_all: int = 1024


class Window:
    """The rows that are with the worker, with the lanes that have more in the database.

    A lane is a chat, or a message that Planfix is owed the status of.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._of_lane: Counter[int] = Counter()
        self._resting: set[int] = set()
        self.in_flight: dict[int, int] = {}
        self.lagging: set[int] = set()
        self.all_may_lag = True

    @property
    def has_room(self) -> bool:
        return self._at_work < self._limits.at_work and len(self.in_flight) < self._limits.in_all

    @property
    def full_lanes(self) -> frozenset[int]:
        most = self._limits.of_lane
        return frozenset(lane for lane, count in self._of_lane.items() if count >= most)

    def takes(self, lane: int) -> bool:
        """Whether another row of this lane may be handed over."""
        return self.has_room and self._of_lane[lane] < self._limits.of_lane

    def is_next(self, lane: int) -> bool:
        """Whether a new row of this lane has none before it that is not handed over."""
        return not self.all_may_lag and lane not in self.lagging

    def add(self, row: int, lane: int) -> None:
        self.in_flight[row] = lane
        self._of_lane[lane] += 1

    def remove(self, row: int) -> None:
        lane = self.in_flight.pop(row, None)
        if lane is None:
            return
        self._of_lane[lane] -= 1
        self._resting.discard(lane)
        if not self._of_lane[lane]:
            del self._of_lane[lane]

    def rest(self, row: int) -> None:
        """Note that the row's lane waits, for its next try or for another row."""
        if row in self.in_flight:
            self._resting.add(self.in_flight[row])

    def work(self, row: int) -> None:
        """Note that the row is being tried."""
        if row in self.in_flight:
            self._resting.discard(self.in_flight[row])

    def wants_more(self) -> bool:
        """Whether it is worthwhile to look for more rows in the database."""
        if not (self.all_may_lag or self.lagging) or not self.has_room:
            return False
        if self._at_work <= self._limits.at_work // 2:
            return self.all_may_lag or any(map(self._has_half, self.lagging))
        return False

    def _has_half(self, lane: int) -> bool:
        return self._of_lane[lane] <= self._limits.of_lane // 2

    @property
    def _at_work(self) -> int:
        return len(self.in_flight) - sum(self._of_lane[lane] for lane in self._resting)
