"""The plots of what grows, drawn from `benchmarks/plots/growth.json`; `python -m benchmarks.plots.growth` draws them again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.measurement import origin
from benchmarks.plots.chart import PLOTS, Axis, Lines, Series, draw_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POINTS = PLOTS / "growth.json"
Point = dict[str, Any]
WAYS = ("to_planfix", "to_telegram")
NAMES = {"to_planfix": "into Planfix", "to_telegram": "into Telegram"}


def keep_growth(sizes: list[Point], loads: list[Point], machine: Mapping[str, Any]) -> None:
    """Store the points with the machine that they are from, and draw them."""
    found = {"machine": machine, "sizes": sizes, "loads": loads}
    POINTS.write_text(json.dumps(found, indent=2) + "\n")
    draw()


def draw() -> None:
    found = json.loads(POINTS.read_text())
    note = origin(found["machine"])
    sizes, loads = found["sizes"], found["loads"]
    plots = {
        "memory": _memory(sizes, note),
        "start": _start(sizes, note),
        "delay": _delay(loads, note),
        "delay-by-numbers": _delay_by_numbers(sizes, note),
        "throughput": _throughput(loads, note),
    }
    for name, plot in plots.items():
        (PLOTS / f"{name}.svg").write_text(draw_lines(plot))


def _memory(sizes: Sequence[Point], note: str) -> Lines:
    each = Series("a number", [(one["numbers"], one["memory"]) for one in sizes])
    goal = Series("goal", [(one["numbers"], 9.5) for one in sizes], is_dashed=True)
    up = Axis("MB for each number (PSS of workers and forkserver)")
    return Lines("Memory of a number", note, _numbers(sizes), up, [each, goal])


def _start(sizes: Sequence[Point], note: str) -> Lines:
    each = Series("a number", [(one["numbers"], one["start"]) for one in sizes])
    up = Axis("ms for each number, from the gateway's start until all are online")
    return Lines("Start of a number", note, _numbers(sizes), up, [each])


def _delay(loads: Sequence[Point], note: str) -> Lines:
    broken = [one for one in loads if one["breaks"]]
    title = "Delay of a message, 100 numbers"
    if broken:
        title += f"; {broken[0]['rate']:,} messages a second are too many"
    up = Axis("ms", is_log=True)
    return Lines(title, note, _rates(loads), up, _delays("rate", loads))


def _delay_by_numbers(sizes: Sequence[Point], note: str) -> Lines:
    points = [one["load"] | {"numbers": one["numbers"]} for one in sizes]
    title = f"Delay of a message, {points[0]['rate']:g} messages a second in all"
    return Lines(title, note, _numbers(sizes), Axis("ms", is_log=True), _delays("numbers", points))


def _throughput(loads: Sequence[Point], note: str) -> Lines:
    arrived = Series("arrived", [(one["rate"], one["arrived"]) for one in loads])
    written = Series("written", [(one["rate"], one["rate"]) for one in loads], is_dashed=True)
    up = Axis("messages a second, both ways", is_log=True)
    return Lines("Throughput, 100 numbers", note, _rates(loads), up, [arrived, written])


def _delays(across: str, points: Sequence[Point]) -> list[Series]:
    return [
        Series(f"{NAMES[way]}, {what}", [(one[across], one[f"{way}_{what}"]) for one in points])
        for way in WAYS
        for what in ("median", "p99")
    ]


def _numbers(sizes: Sequence[Point]) -> Axis:
    return Axis("numbers", is_log=True, ticks=[one["numbers"] for one in sizes])


def _rates(loads: Sequence[Point]) -> Axis:
    return Axis("messages a second", is_log=True, ticks=[one["rate"] for one in loads])


if __name__ == "__main__":
    draw()
