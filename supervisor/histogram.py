"""A histogram of durations, with the buckets that Prometheus expects."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""The upper bounds of the buckets in seconds; what took longer is only in the total."""


class Histogram:
    """Counts durations by their length."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return how many durations were no longer than each bound."""
        found: list[tuple[str, float]] = []
        count = 0
        for bound, in_bucket in zip((*map(str, BOUNDS), "+Inf"), self._counts, strict=True):
            count += in_bucket
            found.append((bound, count))
        return found
