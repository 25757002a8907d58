"""Reads the HTML that may remain in a comment as plain text with styles."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain

from session_worker.protocol.outgoing import MarkKind

_TOKEN = re.compile(
    r"(?P<break><br\s*/?>(?:\r?\n)?|\r\n?)"
    r"|</?(?P<tag>[a-z][a-z0-9]*)(?P<attributes>(?:\s[^<>]*)?)>"
    r"|&(?:\#\d{1,7}|\#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"""\bhref\s*=\s*["']?(https?://[^\s"'<>]+)""", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"&#[0-9]{20,};?")
_SPACES = str.maketrans({"\r": "\n", "\xa0": " "})


_STYLES = {
    **dict.fromkeys(("b", "strong"), MarkKind.BOLD),
    **dict.fromkeys(("i", "em"), MarkKind.ITALIC),
    **dict.fromkeys(("u", "ins"), MarkKind.UNDERLINE),
    **dict.fromkeys(("s", "strike", "del"), MarkKind.STRIKE),
    "code": MarkKind.CODE,
    "pre": MarkKind.PRE,
    "blockquote": MarkKind.QUOTE,
    "a": MarkKind.LINK,
}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = frozenset((*_HEADINGS, "p", "div", "li", "ul", "ol", "tr", "table", "blockquote", "pre"))
_INLINE = frozenset(("span", "font", "small", "big", "td", "th", "tbody", "thead"))
_KNOWN = _BLOCKS | _INLINE | frozenset(_STYLES)


@dataclass(frozen=True, slots=True)
class Style:
    """A stretch of characters with one kind of formatting."""

    kind: MarkKind
    start: int
    end: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """Text without tags; ``origins`` says where each character begins in the source.

    An opening tag belongs to the character after it; the last origin is the end of the source.
    """

    text: str
    origins: tuple[int, ...]
    styles: tuple[Style, ...]


def unescape(text: str) -> str:
    """Replace the references of HTML by their characters, in any text."""
    # Python fails on a reference with more digits than it reads as a number.
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text))


def read(source: str) -> Plain:
    """Read the tags and references we know; anything else that looks like one is text."""
    reader = _Reader()
    at = 0
    for token in _TOKEN.finditer(source):
        reader.take_text(source[at : token.start()], at)
        reader.take_token(token)
        at = token.end()
    reader.take_text(source[at:], at)
    return reader.finish(len(source))


@dataclass(frozen=True, slots=True)
class _Open:
    """A style whose end has not been found yet."""

    order: int
    kind: MarkKind
    start: int
    url: str


class _Reader:
    """Collects the text that is shown."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._origins: list[int] = []
        self._styles: list[Style] = []
        self._open: defaultdict[MarkKind, list[_Open]] = defaultdict(list)
        self._opened = 0
        self._opening: int | None = None

    def take_text(self, text: str, at: int) -> None:
        if text:
            self._show(text[0], at)
            self._text.append(text[1:].translate(_SPACES))
            self._origins.extend(range(at + 1, at + len(text)))

    def take_token(self, token: re.Match[str]) -> None:
        at, tag = token.start(), (token["tag"] or "").lower()
        if token["break"]:
            self._show("\n", at)
        elif not tag:
            self._refer(token[0], at)
        elif tag not in _KNOWN:
            self.take_text(token[0], at)
        elif token[0].startswith("</"):
            self._close(tag, at)
        else:
            self._begin(tag, token["attributes"], at)

    def finish(self, end: int) -> Plain:
        left = sorted(chain(*self._open.values()), key=lambda style: -style.order)
        for each in left:
            self._end(each)
        styles = sorted(self._styles, key=lambda style: (style.start, -style.end))
        return Plain("".join(self._text), (*self._origins, end), tuple(styles))

    def _show(self, character: str, at: int) -> None:
        self._text.append(character.translate(_SPACES))
        self._origins.append(at if self._opening is None else self._opening)
        self._opening = None

    def _refer(self, reference: str, at: int) -> None:
        for character in unescape(reference):
            self._show(character, at)

    def _begin(self, tag: str, attributes: str, at: int) -> None:
        self._break_line(tag, at)
        if self._opening is None:
            self._opening = at
        kind = _STYLES.get(tag)
        address = _ADDRESS.search(attributes) if kind is MarkKind.LINK else None
        if kind and (address or kind is not MarkKind.LINK):
            url = unescape(address[1]) if address else ""
            self._opened += 1
            self._open[kind].append(_Open(self._opened, kind, len(self._origins), url))
        if tag == "li":
            self._show("•", at)
            self._show(" ", at)

    def _close(self, tag: str, at: int) -> None:
        kind = _STYLES.get(tag)
        if kind and self._open[kind]:
            self._end(self._open[kind].pop())
        self._break_line(tag, at)

    def _end(self, style: _Open) -> None:
        if style.start < len(self._origins):
            self._styles.append(Style(style.kind, style.start, len(self._origins), style.url))

    def _break_line(self, tag: str, at: int) -> None:
        if tag in _BLOCKS and self._origins and not self._text[-1].endswith("\n"):
            self._show("\n", at)
