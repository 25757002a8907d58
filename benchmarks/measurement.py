"""Measured values and their goals, as a table, and the machine that they were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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


def table(name: str, figures: Sequence[Measurement]) -> str:
    width = max(len(figure.name) for figure in figures)
    lines = (
        f"  {f.name:{width}}  {f.value:>10,.4g} {f.unit:12} {f.goal:10} {f.verdict}".rstrip()
        for f in figures
    )
    return "\n".join((name, *lines))


def p99(values: Sequence[float]) -> float:
    return sorted(values)[len(values) * 99 // 100]


def describe_machine() -> dict[str, Any]:
    """Describe what the results depend on; the load is that of other programs before the run."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def origin(machine: Mapping[str, Any]) -> str:
    """Say where and when figures are from, and how busy the machine was before."""
    return (
        f"{machine['cores']} cores, Python {machine['python']}, {machine['measured_at'][:10]}; "
        f"load of other programs before: {machine['load']:g}"
    )
