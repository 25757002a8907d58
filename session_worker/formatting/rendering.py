"""Renders a Planfix comment as Telegram shows it: text with marks, counted in UTF-16 units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate, compress, groupby
from operator import mul
from typing import TYPE_CHECKING

from session_worker.formatting.markup import Style, read
from session_worker.protocol.outgoing import Mark, MarkKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_worker.formatting.markup import Plain

LONGEST_LABEL = 64  # characters; a link is attached to a few words, not to the whole message
LONGEST_ANCHOR = 1000  # characters of an HTML link that are kept together
MOST_LINKS = 80  # Telegram drops marks beyond 100; further links stay as they are written
_LINK = re.compile(r"\[ (https?://\S{1,2000}) \]")
_QUOTE = re.compile(r">>(?!>)[ \t]?")
# The label of a link does not extend across the end of a sentence or a clause.
_STOP = re.compile(r"[.,:;!?…]\s+|[(«\"]|\s[—\u2013-]\s+")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text to be sent, with its marks."""

    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source will look; offsets count the characters of ``plain``."""

    plain: Plain
    hidden: tuple[Span, ...]
    solid: tuple[Span, ...]
    styles: tuple[Style, ...]

    def widths(self) -> list[int]:
        """Return for each offset how many UTF-16 units are shown before it."""
        weights = _weights(self.plain.text)
        for start, end in self.hidden:
            weights[start:end] = [0] * (end - start)
        return list(accumulate(weights, initial=0))


def width_of(text: str) -> int:
    """Count the UTF-16 units of a text."""
    if text.isascii():
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)


def _weights(text: str) -> list[int]:
    return [1 if character <= "\uffff" else 2 for character in text]


def lay_out(source: str) -> Layout:
    """Find the links, quotes and styles of a comment."""
    plain = read(source)
    every_link = list(_links(plain.text))
    links = every_link[:MOST_LINKS]
    quotes = list(_quotes(plain.text))
    hidden = [span for link in links for span in link.hidden]
    hidden += [span for quote in quotes for span in quote.hidden]
    styles = [style for found in (*quotes, *links) if (style := found.style)]
    anchors = [
        (style.start, style.end)
        for style in plain.styles
        if style.kind is MarkKind.LINK and style.end - style.start <= LONGEST_ANCHOR
    ]
    return Layout(
        plain,
        tuple(sorted(hidden)),
        (*(link.whole for link in every_link), *anchors),
        (*plain.styles, *styles),
    )


def render(source: str) -> Rendered:
    """Render a comment; nothing that can be read is lost."""
    layout = lay_out(source)
    shown = _shown(layout)
    text = "".join(compress(layout.plain.text, shown))
    units = list(accumulate(map(mul, _weights(layout.plain.text), shown), initial=0))
    marks = (_mark(style, units) for style in layout.styles)
    return Rendered(text, tuple(sorted((m for m in marks if m.length), key=_order)))


def is_quote(text: str, at: int) -> bool:
    """Whether a line that began here would be a quoted one."""
    return _QUOTE.match(text, at) is not None


@dataclass(frozen=True, slots=True)
class _Found:
    """A link or a quote, with the parts of its source that are not shown."""

    whole: Span
    hidden: tuple[Span, ...]
    style: Style | None


def _links(text: str) -> Iterator[_Found]:
    floor = 0
    for link in _LINK.finditer(text):
        label = _label(text, floor, link)
        floor = link.end()
        if label:
            start, end = label
            yield _Found((start, floor), ((end, floor),), Style(MarkKind.LINK, start, end, link[1]))
        else:
            brackets = ((link.start(), link.start(1)), (link.end(1), floor))
            yield _Found((link.start(), floor), brackets, None)


def _label(text: str, floor: int, link: re.Match[str]) -> Span | None:
    """Find the words that the link belongs to, if there are any."""
    line = max(floor, text.rfind("\n", floor, link.start()) + 1)
    quote = _QUOTE.match(text, line, link.start()) if line == 0 or text[line - 1] == "\n" else None
    start = quote.end() if quote else line
    end = start + len(text[start : link.start()].rstrip(" \t"))
    if text.endswith(link[1], start, end):
        return end - len(link[1]), end
    for stop in _STOP.finditer(text, start, end):
        start = stop.end()
    start = end - len(text[start:end].lstrip(" \t"))
    if end - start > LONGEST_LABEL:
        start = text.rfind(" ", start, end) + 1 or start
    is_label = 0 < end - start <= LONGEST_LABEL and text[end - 1] not in ".:;,"
    return (start, end) if is_label else None


def _quotes(text: str) -> Iterator[_Found]:
    """Join quoted lines; empty lines around them are only Planfix's way to end a quote."""
    at = 0
    lines: list[tuple[int, str]] = []
    for line in text.split("\n"):
        lines.append((at, line))
        at += len(line) + 1
    for is_quoted, group in groupby(lines, key=lambda line: is_quote(line[1], 0)):
        if is_quoted:
            yield _quote(list(group), len(text))


def _quote(lines: list[tuple[int, str]], end: int) -> _Found:
    bodies = [_QUOTE.sub("", line, count=1).strip() for _, line in lines]
    nonblank = [number for number, body in enumerate(bodies) if body]
    hidden: list[Span] = []
    for number, (start, line) in enumerate(lines):
        prefix = _QUOTE.match(line)
        width = prefix.end() if prefix else 0
        is_edge = not nonblank or not nonblank[0] <= number <= nonblank[-1]
        hidden.append((start, min(start + len(line) + 1, end) if is_edge else start + width))
    style = None
    if nonblank:
        (first, _), (last, line) = lines[nonblank[0]], lines[nonblank[-1]]
        style = Style(MarkKind.QUOTE, first, last + len(line))
    return _Found((lines[0][0], lines[0][0]), tuple(hidden), style)


def _shown(layout: Layout) -> list[bool]:
    """Return for each character whether it is shown; blank ends are removed, as Telegram would do."""
    text = layout.plain.text
    shown = [True] * len(text)
    for start, end in layout.hidden:
        shown[start:end] = [False] * (end - start)
    for places in (range(len(text)), reversed(range(len(text)))):
        for place in places:
            if shown[place] and not text[place].isspace():
                break
            shown[place] = False
    return shown


def _mark(style: Style, units: list[int]) -> Mark:
    start, end = units[style.start], units[style.end]
    return Mark(kind=style.kind, offset=start, length=end - start, value=style.url)


def _order(mark: Mark) -> tuple[int, int]:
    return mark.offset, -mark.length
