"""Turns the HTML that TeamFlame may keep into plain text, and our plain text into what it shows unchanged."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre"}
)
_LINES = frozenset({"br", "li", "tr"})
_SILENT = frozenset({"script", "style", "template", "title"})
_INLINE = frozenset(
    {"a", "b", "strong", "i", "em", "u", "s", "del", "code", "span", "img", "mark", "table", "td"}
)
_KNOWN = _BLOCKS | _LINES | _SILENT | _INLINE
_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_KNOWN))})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_SPECIAL = re.compile(r"[<>&]")


def to_text(markup: str) -> str:
    """Return what a reader of the HTML sees; text without any known tag is plain already."""
    if not _TAG.search(markup):
        return markup.strip()
    reader = _TextReader()
    reader.feed(markup)
    reader.close()
    return reader.text()


def to_markup(text: str) -> str:
    """Return what TeamFlame shows as this text, wherever it takes texts for HTML."""
    if not _SPECIAL.search(text):
        return text
    lines = (html.escape(line, quote=False) for line in text.split("\n"))
    return f"<p>{'<br>'.join(lines)}</p>"


class _TextReader(HTMLParser):
    """Collects the text; blocks and line breaks become new lines, scripts vanish."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._silent = 0
        self._link: str | None = None

    def text(self) -> str:
        joined = "".join(self._parts)
        lines = (re.sub(r"[ \t\r\f\v]+", " ", line).strip() for line in joined.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag in _BLOCKS:
            self._begin_line()
        elif tag in _LINES:
            self._parts.append("\n")
            if tag == "li":
                self._parts.append("• ")
        elif tag == "a":
            self._link = dict(attrs).get("href")
        elif tag not in _KNOWN:
            self.handle_data(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self._begin_line()
        elif tag == "a":
            self._end_link()
        elif tag not in _KNOWN:
            self.handle_data(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(data)

    def _begin_line(self) -> None:
        if self._parts and not self._parts[-1].endswith("\n"):
            self._parts.append("\n")

    def _end_link(self) -> None:
        link, self._link = self._link, None
        shown = self._parts[-1] if self._parts else ""
        if link and link.startswith(("http://", "https://", "mailto:")) and link not in shown:
            self._parts.append(f" ({link})")
