"""Turns Telegram's formatted text into plain text that keeps its links, quotes and code."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

QUOTE = ">> "
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Insertion = tuple[
    int, int, int, str
]  # position, order at that position, outer before inner, inserted text


def plain(text: str) -> str:
    """Remove what is not text: control characters and surrogate halves."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def quoted(text: str) -> str:
    """Mark each line as a quote, in Planfix's way."""
    return "\n".join(f"{QUOTE}{line}".rstrip() for line in text.split("\n"))


def readable(text: str, entities: Iterable[Any] | None) -> str:
    """Write out what the formatting of a text means."""
    if not entities:
        return plain(text)
    ends = list(accumulate((2 if ord(char) > 0xFFFF else 1 for char in text), initial=0))
    insertions = [
        insertion
        for entity in entities
        for insertion in _insertions(text, *_span(entity, ends), entity)
    ]
    return plain(_insert(text, sorted(insertions)))


def _span(entity: Any, ends: Sequence[int]) -> tuple[int, int]:
    """Return the characters of an entity, whose own offsets count UTF-16 units."""
    last = len(ends) - 1
    start = min(bisect_left(ends, entity.offset), last)
    return start, min(bisect_left(ends, entity.offset + entity.length), last)


def _insertions(text: str, start: int, end: int, entity: Any) -> Iterator[Insertion]:
    if start >= end:
        return
    if isinstance(entity, types.MessageEntityBlockquote):
        yield from _quote(text, start, end)
        return
    before, after = _marks(text[start:end], entity)
    is_link = not before
    if before:
        yield start, 1, -2 * end, before
    if after:
        # If two end at the same place, the inner one ends first, and a link after all others.
        yield end, 0, -2 * start + is_link, after


def _marks(inside: str, entity: Any) -> tuple[str, str]:
    match entity:
        case types.MessageEntityTextUrl(url=url):
            return "", _link(inside, url)
        case types.MessageEntityMentionName(user_id=user_id):
            return "", _link(inside, f"tg://user?id={user_id}")
        case types.MessageEntityCode():
            return "`", "`"
        case types.MessageEntityPre(language=language):
            return f"```{language}\n", "\n```"
        case _:
            return "", ""


def _link(label: str, url: str) -> str:
    """Write a link in Planfix's way, unless the label is the link itself."""
    return "" if label.strip().rstrip("/") == url.strip().rstrip("/") else f" [ {url} ]"


def _quote(text: str, start: int, end: int) -> Iterator[Insertion]:
    outermost = -2 * len(text) - 1
    opening = QUOTE if start == 0 or text[start - 1] == "\n" else f"\n{QUOTE}"
    yield start, 1, outermost, opening
    for place in range(start, end - 1):
        if text[place] == "\n":
            yield place + 1, 1, outermost, QUOTE
    if end < len(text) and "\n" not in text[end - 1 : end + 1]:
        yield end, 0, 2, "\n"


def _insert(text: str, insertions: Iterable[Insertion]) -> str:
    pieces, done = [], 0
    for place, _, _, inserted in insertions:
        pieces += [text[done:place], inserted]
        done = place
    return "".join([*pieces, text[done:]])
