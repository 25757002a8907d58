"""Plots as SVG: lines over two axes, or bars; readable on a light and on a dark page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PLOTS = Path(__file__).parent
WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 84, 48  # margins around the plot
LINE = 20  # between two lines of text
LETTER = 6.0  # of small text, on average
BAR = 30  # between two bars
NAMES = 190  # for the names of the bars
VALUES = 80  # for their values
STEPS = 5  # of a plain axis, about
LIGHT = ("#0072b2", "#c44f00", "#007a5a", "#a8487f")
DARK = ("#56b4e9", "#f0a04b", "#3fc79a", "#e39ac1")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.small { font-size: 11px; fill: #57606a }
.page { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.dashed { stroke-dasharray: 6 4 }
"""
AT_NIGHT = """
text { fill: #e6edf3 }
.small { fill: #9da7b3 }
.page { fill: #0d1117 }
.grid { stroke: #30363d }
"""


@dataclass(frozen=True, slots=True)
class Series:
    """Points that are joined by a line; a dashed one is a goal or a comparison."""

    name: str
    points: Sequence[tuple[float, float]]
    is_dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis shows."""

    label: str
    is_log: bool = False
    ticks: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Lines:
    """Series over a common pair of axes; the note says where the figures are from."""

    title: str
    note: str
    across: Axis
    up: Axis
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar for each name."""

    title: str
    note: str
    unit: str
    bars: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """Places values between two pixels."""

    lowest: float
    highest: float
    start: float
    end: float
    is_log: bool

    def place(self, value: float) -> float:
        lowest, highest, value = map(self._bend, (self.lowest, self.highest, value))
        share = (value - lowest) / (highest - lowest or 1.0)
        return round(self.start + share * (self.end - self.start), 1)

    def _bend(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def draw_lines(plot: Lines) -> str:
    points = [point for series in plot.series for point in series.points]
    across = _ticks(plot.across, [x for x, _ in points])
    up = _ticks(plot.up, [y for _, y in points])
    x = Scale(across[0], across[-1], LEFT, WIDTH - RIGHT, plot.across.is_log)
    y = Scale(up[0], up[-1], HEIGHT - BOTTOM, TOP + LINE, plot.up.is_log)
    body = [
        *_grid(plot, x, y, across, up),
        *(part for place, each in enumerate(plot.series) for part in _series(each, place, x, y)),
        *_legend(plot.series),
    ]
    return _page(plot.title, plot.note, HEIGHT, body)


def draw_bars(plot: Bars) -> str:
    highest = max(value for _, value in plot.bars)
    scale = Scale(0.0, highest, NAMES, WIDTH - RIGHT - VALUES, is_log=False)
    height = TOP + BAR * len(plot.bars) + LINE
    return _page(plot.title, plot.note, height, list(_bars(plot, scale)))


def _bars(plot: Bars, scale: Scale) -> Iterator[str]:
    for place, (name, value) in enumerate(plot.bars):
        top = TOP + BAR * place
        end = scale.place(value)
        yield _text(NAMES - 8, top + 15, name, anchor="end")
        yield (
            f'<rect class="fill{min(place, 1)}" x="{NAMES}" y="{top}" '
            f'width="{max(1.0, end - NAMES):.1f}" height="{BAR - 10}" rx="2"/>'
        )
        yield _text(end + 6, top + 15, f"{_short(value)} {plot.unit}")


def _grid(
    plot: Lines, x: Scale, y: Scale, across: Sequence[float], up: Sequence[float]
) -> Iterator[str]:
    for value in up:
        place = y.place(value)
        yield f'<path class="grid" d="M{LEFT} {place}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 8, place + 4, _short(value), kind="small", anchor="end")
    for value in across:
        place = x.place(value)
        yield f'<path class="grid" d="M{place} {HEIGHT - BOTTOM}v5"/>'
        yield _text(place, HEIGHT - BOTTOM + 18, _short(value), kind="small", anchor="middle")
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield _text(middle, HEIGHT - 10, plot.across.label, kind="small", anchor="middle")
    yield _text(8, TOP + 4, plot.up.label, kind="small")


def _series(series: Series, place: int, x: Scale, y: Scale) -> Iterator[str]:
    points = [(x.place(across), y.place(up)) for across, up in series.points]
    path = "M" + "L".join(f"{across} {up}" for across, up in points)
    dashed = " dashed" if series.is_dashed else ""
    yield f'<path class="line line{place % len(LIGHT)}{dashed}" d="{path}"/>'
    if not series.is_dashed:
        for across, up in points:
            yield f'<circle class="fill{place % len(LIGHT)}" cx="{across}" cy="{up}" r="3"/>'


def _legend(series: Sequence[Series]) -> Iterator[str]:
    """Name each line above the plot, from right to left."""
    end, top = float(WIDTH - RIGHT), TOP - LINE
    for place, each in reversed(list(enumerate(series))):
        start = end - LETTER * len(each.name) - 25
        dashed = " dashed" if each.is_dashed else ""
        yield f'<path class="line line{place % len(LIGHT)}{dashed}" d="M{start:.1f} {top}h20"/>'
        yield _text(start + 25, top + 4, each.name, kind="small")
        end = start - 12


def _ticks(axis: Axis, values: Sequence[float]) -> list[float]:
    """Choose round values for the marks of an axis, from below the lowest to above the highest."""
    if axis.ticks:
        return list(axis.ticks)
    if axis.is_log:
        lowest = math.floor(math.log10(min(values)))
        highest = math.ceil(math.log10(max(values)))
        return [10.0**power for power in range(lowest, max(highest, lowest + 1) + 1)]
    step = _round_up(max(values) / STEPS)
    return [step * each for each in range(math.ceil(max(values) / step) + 1)]


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= value * 0.999)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _text(x: float, y: float, text: str, *, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(title: str, note: str, height: int, body: Sequence[str]) -> str:
    colours = "\n".join(_colours(LIGHT))
    at_night = "\n".join(_colours(DARK))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">'
    )
    style = (
        f"<style>{STYLE}{colours}\n"
        f"@media (prefers-color-scheme: dark) {{{AT_NIGHT}{at_night}\n}}</style>"
    )
    return "\n".join(
        (
            head,
            style,
            f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
            _text(8, 22, title, kind="title"),
            _text(8, 22 + LINE, note, kind="small"),
            *body,
            "</svg>\n",
        )
    )


def _colours(colours: Sequence[str]) -> Iterator[str]:
    for place, colour in enumerate(colours):
        yield f".line{place} {{ stroke: {colour} }}"
        yield f".fill{place} {{ fill: {colour} }}"
