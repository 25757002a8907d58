"""One measured value and its goal."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measurement:
    """A measured value; its goal, if any, is an upper or a lower limit."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    @property
    def verdict(self) -> str:
        """Return whether the goal is reached, or nothing if there is no goal."""
        if not self.goal:
            return ""
        too_high = self.at_most is not None and self.value > self.at_most
        too_low = self.at_least is not None and self.value < self.at_least
        return "MISSED" if too_high or too_low else "ok"


Benchmark = Callable[[], Coroutine[Any, Any, list[Measurement]]]
