"""Reads Markdown as the Bot API does, and a forgiving kind of it for people who write by hand."""

from __future__ import annotations

import re
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from session_worker.protocol.outgoing import MarkKind
from supervisor.errors import MarkupInvalid
from supervisor.notifications.formatting.marked_text import TextBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.notifications.formatting.marked_text import MarkedText


class Dialect(StrEnum):
    """The kinds of Markdown: the Bot API's two, and our own, which shows wrong marks as text."""

    LEGACY = "Markdown"
    STRICT = "MarkdownV2"
    FORGIVING = "forgiving"


_CODE = (
    r"|```(?:(?P<language>[\w+#.-]{1,32})\n)?(?P<block>(?:(?!```).)*)```"
    r"|`(?P<code>[^`]*)`"
)
# The search for the end of an address stops where another one begins; otherwise a text of many
# beginnings would be read again and again.
_TOKEN = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])" + _CODE + r"|(?P<link>!?\[)"
    r"|\]\((?P<address>(?:\\.|[^)\]\\]|\](?!\())*)\)"
    r"|(?P<quote>^(?:\*\*)?>) ?"
    r"|(?P<mark>\*\*|__|\*|_|~~|~|\|\|)"
    r"|(?P<line>\n)"
    r"|(?P<reserved>[\]()#+\-=|{}.!>`])",
    re.MULTILINE | re.DOTALL,
)
_LEGACY_TOKEN = re.compile(
    r"\\(?P<escaped>[_*`\[])" + _CODE + r"|(?P<link>\[)"
    r"|\]\((?P<address>(?:[^)\]]|\](?!\())*)\)"
    r"|(?P<mark>[*_])",
    re.DOTALL,
)
_STYLES: Mapping[str, MarkKind] = {
    "*": MarkKind.BOLD,
    "**": MarkKind.BOLD,
    "_": MarkKind.ITALIC,
    "__": MarkKind.UNDERLINE,
    "~": MarkKind.STRIKE,
    "~~": MarkKind.STRIKE,
    "||": MarkKind.SPOILER,
}
_NOT_OF_BOT_API = frozenset({"**", "~~"})
_PERSON = re.compile(r"tg://user\?id=(\d{1,18})")
_EMOJI = re.compile(r"tg://emoji\?id=(\d{1,19})")
_ADDRESS = re.compile(r"(?:https?|tg|mailto|tel):\S+", re.IGNORECASE)
_SPECIAL = re.compile(r"([_*\[\]()~`>#+\-=|{}.!\\])")


class _Open(NamedTuple):
    """A mark whose end has not been found yet: its sign, and its places in the text and the source."""

    sign: str
    start: int
    place: int


def parse_markdown(source: str, dialect: Dialect = Dialect.FORGIVING) -> MarkedText:
    """Read Markdown; raise MarkupInvalid for what the Bot API would refuse in this dialect."""
    return _Reader(source, dialect).read()


def escape_markdown(text: str) -> str:
    """Escape what would be taken for a mark."""
    return _SPECIAL.sub(r"\\\1", text)


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, source: str, dialect: Dialect) -> None:
        self._source = source
        self._dialect = dialect
        pattern = _LEGACY_TOKEN if dialect is Dialect.LEGACY else _TOKEN
        self._tokens = list(pattern.finditer(source))
        self._strays = _strays(self._tokens) if dialect is Dialect.FORGIVING else frozenset()
        self._builder = TextBuilder()
        self._open: list[_Open] = []
        self._quote: _Open | None = None

    def read(self) -> MarkedText:
        at = 0
        for token in self._tokens:
            self._builder.add(self._source[at : token.start()])
            at = token.end()
            if token.start() in self._strays:
                self._builder.add(token[0])
            else:
                self._handle(token)
        self._builder.add(self._source[at:])
        self._end_quote()
        if self._open:
            raise self._without_end(self._open[-1].place)
        return self._builder.finish()

    def _handle(self, token: re.Match[str]) -> None:
        match token.lastgroup:
            case "escaped":
                self._builder.add(token["escaped"])
            case "block" | "code":
                self._code(token)
            case "link" | "address":
                self._link(token)
            case "mark":
                self._mark(token)
            case "quote":
                self._quote = self._quote or _Open(
                    token["quote"], self._builder.units, token.start()
                )
            case "line":
                self._end_line(token.end())
            case _:
                self._reserved(token[0])

    def _code(self, token: re.Match[str]) -> None:
        start = self._builder.units
        if token["block"] is None:
            text, kind, value = token["code"], MarkKind.CODE, ""
        else:
            text = token["block"].removeprefix("\n").removesuffix("\n")
            kind, value = MarkKind.PRE, token["language"] or ""
        self._builder.add(re.sub(r"\\([`\\])", r"\1", text))
        self._builder.mark(kind, start, value)

    def _mark(self, token: re.Match[str]) -> None:
        sign = token[0]
        if sign in _NOT_OF_BOT_API and self._dialect is Dialect.STRICT:
            raise self._without_end(token.start())
        if self._open and self._open[-1].sign == sign:
            self._builder.mark(_STYLES[sign], self._open.pop().start)
        else:
            self._open.append(_Open(sign, self._builder.units, token.start()))

    def _link(self, token: re.Match[str]) -> None:
        if token.lastgroup == "link":
            self._open.append(_Open(token[0], self._builder.units, token.start()))
            return
        if not self._open or "[" not in self._open[-1].sign:
            self._reserved(token[0])
            return
        begun = self._open.pop()
        address = re.sub(r"\\(.)", r"\1", token["address"])
        if person := _PERSON.fullmatch(address):
            self._builder.mark(MarkKind.MENTION, begun.start, person[1])
        elif begun.sign == "![" and (emoji := _EMOJI.fullmatch(address)):
            self._builder.mark(MarkKind.EMOJI, begun.start, emoji[1])
        elif _ADDRESS.fullmatch(address):
            self._builder.mark(MarkKind.LINK, begun.start, address)

    def _end_line(self, place: int) -> None:
        if not self._source.startswith((">", "**>"), place):
            self._end_quote()
        self._builder.add("\n")

    def _end_quote(self) -> None:
        if self._quote is not None:
            kind = MarkKind.QUOTE if self._quote.sign == ">" else MarkKind.LONG_QUOTE
            self._builder.mark(kind, self._quote.start)
            self._quote = None

    def _reserved(self, text: str) -> None:
        if self._dialect is Dialect.STRICT:
            raise MarkupInvalid(
                f"Character '{text[0]}' is reserved and must be escaped with the preceding '\\'"
            )
        self._builder.add(text)

    def _without_end(self, place: int) -> MarkupInvalid:
        byte = len(self._source[:place].encode())
        return MarkupInvalid(f"Can't find end of the entity starting at byte offset {byte}")


def _strays(tokens: list[re.Match[str]]) -> frozenset[int]:
    """Find the signs that belong to no pair, as in `2 * 3` and `snake_case`."""
    begun = _Begun()
    strays: set[int] = set()
    for token in tokens:
        if token.lastgroup not in {"mark", "link", "address"}:
            continue
        if token.lastgroup != "link" and begun.has(_sign_of(token)) and _may_end(token):
            strays.update(begun.end(_sign_of(token)))
        elif token.lastgroup == "link" or (token.lastgroup == "mark" and _may_begin(token)):
            begun.begin(token)
        else:
            strays.add(token.start())
    return frozenset(strays.union(begun.starts()))


class _Begun:
    """The signs that have begun and have not ended, in their order and by their kind.

    A sign looks only at its own kind: with thousands of signs, looking at all would take minutes.
    """

    def __init__(self) -> None:
        self._tokens: list[re.Match[str]] = []
        self._places: defaultdict[str, list[int]] = defaultdict(list)

    def has(self, sign: str) -> bool:
        return bool(self._places[sign])

    def begin(self, token: re.Match[str]) -> None:
        self._places[_sign_of(token)].append(len(self._tokens))
        self._tokens.append(token)

    def end(self, sign: str) -> list[int]:
        """End the newest sign of this kind; return the places of the signs that began after it."""
        place = self._places[sign][-1]
        ended = self._tokens[place:]
        del self._tokens[place:]
        for token in ended:
            self._places[_sign_of(token)].pop()
        return [token.start() for token in ended[1:]]

    def starts(self) -> list[int]:
        return [token.start() for token in self._tokens]


def _sign_of(token: re.Match[str]) -> str:
    """Return the same sign for the beginning and the end of a link."""
    return "[" if token.lastgroup == "address" else token[0].removeprefix("!")


def _may_begin(token: re.Match[str]) -> bool:
    text, start, end = token.string, token.start(), token.end()
    is_in_word = "_" in token[0] and start > 0 and text[start - 1].isalnum()
    return end < len(text) and not text[end].isspace() and not is_in_word


def _may_end(token: re.Match[str]) -> bool:
    if token.lastgroup != "mark":
        return True
    text, start, end = token.string, token.start(), token.end()
    is_in_word = "_" in token[0] and end < len(text) and text[end].isalnum()
    return start > 0 and not text[start - 1].isspace() and not is_in_word
