"""A text with marks, how it is built, and how it is cut into messages."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from session_worker.formatting.plan import LONGEST_TEXT, cut_places
from session_worker.protocol.outgoing import Mark, MarkKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOLID = frozenset({MarkKind.LINK, MarkKind.MENTION, MarkKind.EMOJI, MarkKind.CODE})
LONGEST_SOLID = 1000  # UTF-16 units that are kept together
# What a reader sees as one sign although it has several characters: a flag, or a letter or an emoji
# with its modifiers.
_SIGN = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|.(?:[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f"
    "\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d.){1,32}",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text and its marks, which count UTF-16 units, as Telegram does."""

    text: str
    marks: tuple[Mark, ...] = ()

    def stripped(self) -> MarkedText:
        """Remove blank ends, as Telegram would do, and move the marks accordingly."""
        start = width_of(self.text) - width_of(self.text.lstrip())
        text = self.text.strip()
        return MarkedText(text, _moved(self.marks, start, start + width_of(text)))

    def with_title(self, title: str) -> MarkedText:
        """Put a bold line before the text."""
        head = TextBuilder()
        head.add(title.strip())
        head.mark(MarkKind.BOLD, 0)
        if not head.units:
            return self
        head.add("\n")
        shifted = (
            mark.model_copy(update={"offset": mark.offset + head.units}) for mark in self.marks
        )
        first = head.finish()
        return MarkedText(first.text + self.text, (*first.marks, *shifted))

    def count_parts(self) -> int:
        return len(list(self.cut()))

    def cut(self, limit: int = LONGEST_TEXT) -> Iterator[MarkedText]:
        """Cut the text into pieces that are not too long; none of them is blank.

        A mark that is cut goes on in the next piece; a link, a piece of code and a sign stay whole.
        """
        units = [0, *accumulate(1 + (character > "\uffff") for character in self.text)]
        solid = [
            (
                bisect_left(units, mark.offset),
                bisect_left(units, mark.offset + mark.length),
            )
            for mark in self.marks
            if mark.kind in _SOLID and mark.length <= LONGEST_SOLID
        ]
        solid += [sign.span() for sign in _SIGN.finditer(self.text)]
        places = [0, *cut_places(self.text, solid, limit), len(self.text)]
        for start, end in pairwise(places):
            marks = _moved(self.marks, units[start], units[end])
            shown = MarkedText(self.text[start:end], marks).stripped()
            if shown.text:
                yield shown


def width_of(text: str) -> int:
    """Count the UTF-16 units of a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(slots=True)
class TextBuilder:
    """Collects a text and its marks from left to right."""

    units: int = 0
    _text: list[str] = field(default_factory=list)
    _marks: list[Mark] = field(default_factory=list)

    def add(self, text: str) -> None:
        self._text.append(text)
        self.units += width_of(text)

    def mark(self, kind: MarkKind, start: int, value: str = "") -> None:
        """Mark everything since `start`."""
        if self.units > start:
            self._marks.append(
                Mark(kind=kind, offset=start, length=self.units - start, value=value)
            )

    def finish(self) -> MarkedText:
        marks = sorted(self._marks, key=lambda mark: (mark.offset, -mark.length))
        return MarkedText("".join(self._text), tuple(marks))


def _moved(marks: tuple[Mark, ...], start: int, end: int) -> tuple[Mark, ...]:
    """Return the parts of the marks between two places, counted from the first place."""
    spans = ((mark, max(mark.offset, start), min(mark.offset + mark.length, end)) for mark in marks)
    return tuple(
        mark.model_copy(update={"offset": first - start, "length": last - first})
        for mark, first, last in spans
        if last > first
    )
