"""Turns the HTML that TeamFlame may keep into plain text, and our plain text into what it shows unchanged."""

from __future__ import annotations

import html
import re

_BLOCKS = frozenset(
    {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre"}
)
_LINES = frozenset({"br", "li", "tr"})
_SILENT = frozenset({"script", "style", "template", "title"})
_INLINE = frozenset(
    {"a", "b", "strong", "i", "em", "u", "s", "del", "code", "span", "img", "mark", "table", "td"}
)
_KNOWN = _BLOCKS | _LINES | _SILENT | _INLINE
# Each token ends before the next one can begin, so that no text is read more than a few times.
_TAG = rf"<(?P<end>/?)(?P<tag>{'|'.join(sorted(_KNOWN))})(?P<attributes>(?:\s[^<>]*)?)/?>"
_TOKEN = re.compile(rf"{_TAG}|<!--(?:[^<]|<(?!!--))*?-->|<[!?][^<>]*>", re.IGNORECASE)
_KNOWN_TAG = re.compile(_TAG, re.IGNORECASE)
_ADDRESS = re.compile(
    r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))""",
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(r"&#[0-9]{20,};?")
_SPECIAL = re.compile(r"[<>&]")


def _unescape(text: str) -> str:
    # Python fails on a reference with more digits than it reads as a number.
    return html.unescape(_LONG_NUMBER.sub("\ufffd", text))


def to_text(markup: str) -> str:
    """Return what a reader of the HTML sees; text without any known tag is plain already."""
    if not _KNOWN_TAG.search(markup):
        return markup.strip()
    reader, at = _Reader(), 0
    for token in _TOKEN.finditer(markup):
        reader.add_text(markup[at : token.start()])
        if token["tag"]:
            reader.add_tag(token)
        at = token.end()
    reader.add_text(markup[at:])
    return reader.text()


def to_markup(text: str) -> str:
    """Return what TeamFlame shows as this text, wherever it takes texts for HTML."""
    if not _SPECIAL.search(text):
        return text
    lines = (html.escape(line, quote=False) for line in text.split("\n"))
    return f"<p>{'<br>'.join(lines)}</p>"


class _Reader:
    """Collects the text; blocks and line breaks become new lines, scripts vanish."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._silent = 0
        self._link = ""

    def text(self) -> str:
        joined = "".join(self._parts)
        lines = (re.sub(r"[ \t\r\f\v]+", " ", line).strip() for line in joined.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def add_text(self, text: str) -> None:
        if text and not self._silent:
            self._parts.append(_unescape(text))

    def add_tag(self, token: re.Match[str]) -> None:
        tag, is_end = token["tag"].lower(), bool(token["end"])
        if tag in _SILENT:
            self._silent = max(0, self._silent + (-1 if is_end else 1))
        elif tag in _BLOCKS:
            self._begin_line()
        elif tag in _LINES and not is_end:
            self._parts.append("\n• " if tag == "li" else "\n")
        elif tag == "a" and is_end:
            self._end_link()
        elif tag == "a":
            found = _ADDRESS.search(token["attributes"])
            self._link = _unescape(next(filter(None, found.groups()), "")) if found else ""

    def _begin_line(self) -> None:
        if self._parts and not self._parts[-1].endswith("\n"):
            self._parts.append("\n")

    def _end_link(self) -> None:
        link, self._link = self._link, ""
        shown = self._parts[-1] if self._parts else ""
        if link.startswith(("http://", "https://", "mailto:")) and link not in shown:
            self._parts.append(f" ({link})")
