"""Reads the HTML of the Bot API, as strictly as Telegram's own server does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from session_worker.formatting.markup import unescape
from session_worker.protocol.outgoing import MarkKind
from supervisor.errors import MarkupInvalid
from supervisor.notifications.formatting.marked_text import TextBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.notifications.formatting.marked_text import MarkedText

_TOKEN = re.compile(
    r"<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9-]*)(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>"
    r"|&(?P<reference>\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|lt|gt|amp|quot);"
    r"|(?P<stray><)"
)
_ATTRIBUTE = re.compile(r"([\w-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")
_PERSON = re.compile(r"tg://user\?id=(\d{1,18})")
_LANGUAGE = "language-"
_STYLES: Mapping[str, MarkKind] = {
    **dict.fromkeys(("b", "strong"), MarkKind.BOLD),
    **dict.fromkeys(("i", "em"), MarkKind.ITALIC),
    **dict.fromkeys(("u", "ins"), MarkKind.UNDERLINE),
    **dict.fromkeys(("s", "strike", "del"), MarkKind.STRIKE),
    "tg-spoiler": MarkKind.SPOILER,
    "code": MarkKind.CODE,
    "pre": MarkKind.PRE,
    "blockquote": MarkKind.QUOTE,
}
_KNOWN = frozenset({*_STYLES, "a", "span", "tg-emoji"})


class _Open(NamedTuple):
    """A tag whose end has not been found yet, and the mark that it makes."""

    tag: str
    start: int
    kind: MarkKind | None
    value: str = ""


def parse_html(source: str) -> MarkedText:
    """Read the tags that Telegram knows; raise MarkupInvalid for everything that it refuses."""
    builder, opened, at, place = TextBuilder(), list[_Open](), 0, 0
    for token in _TOKEN.finditer(source):
        builder.add(source[at : token.start()])
        place += len(source[at : token.start()].encode())
        if token["reference"]:
            builder.add(unescape(token[0]))
        elif token["stray"]:
            raise MarkupInvalid(f'Unsupported start tag "" at byte offset {place}')
        elif token["end"]:
            _close(builder, opened, token["tag"].lower(), place)
        else:
            opened.append(_begin(token["tag"].lower(), token["attributes"], builder.units, place))
        place += len(token[0].encode())
        at = token.end()
    builder.add(source[at:])
    if opened:
        raise MarkupInvalid(f'Can\'t find end tag corresponding to start tag "{opened[-1].tag}"')
    return builder.finish()


def _begin(tag: str, attributes: str, start: int, place: int) -> _Open:
    if tag not in _KNOWN:
        raise MarkupInvalid(f'Unsupported start tag "{tag}" at byte offset {place}')
    given = {
        name.lower(): unescape(double or single or bare)
        for name, double, single, bare in _ATTRIBUTE.findall(attributes)
    }
    match tag:
        case "a":
            return _link(start, given.get("href", ""))
        case "span":
            if given.get("class") != "tg-spoiler":
                raise MarkupInvalid(
                    f'Tag "span" must have class "tg-spoiler" at byte offset {place}'
                )
            return _Open(tag, start, MarkKind.SPOILER)
        case "tg-emoji":
            return _emoji(start, given.get("emoji-id", ""), place)
        case "blockquote" if "expandable" in given:
            return _Open(tag, start, MarkKind.LONG_QUOTE)
        case "code":
            language = given.get("class", "")
            value = language.removeprefix(_LANGUAGE) if language.startswith(_LANGUAGE) else ""
            return _Open(tag, start, MarkKind.CODE, value)
        case _:
            return _Open(tag, start, _STYLES[tag])


def _link(start: int, address: str) -> _Open:
    if person := _PERSON.fullmatch(address):
        return _Open("a", start, MarkKind.MENTION, person[1])
    if address.lower().startswith(("http://", "https://", "tg://", "mailto:", "tel:")):
        return _Open("a", start, MarkKind.LINK, address)
    # Telegram ignores other links, but not their texts; a bare domain is a link over http.
    is_domain = re.fullmatch(r"[\w-]+(\.[\w-]+)+([/?#]\S*)?", address) is not None
    return _Open("a", start, MarkKind.LINK if is_domain else None, f"http://{address}")


def _emoji(start: int, emoji: str, place: int) -> _Open:
    if not (emoji.isascii() and emoji.isdigit() and len(emoji) < 20):
        raise MarkupInvalid(f"Invalid custom emoji identifier specified at byte offset {place}")
    return _Open("tg-emoji", start, MarkKind.EMOJI, emoji)


def _close(builder: TextBuilder, opened: list[_Open], tag: str, place: int) -> None:
    if not opened:
        raise MarkupInvalid(f"Unexpected end tag at byte offset {place}")
    found = opened.pop()
    if found.tag != tag:
        raise MarkupInvalid(
            f'Unmatched end tag at byte offset {place}, expected "</{found.tag}>", found "</{tag}>"'
        )
    is_in_pre = bool(opened) and opened[-1].tag == "pre" and opened[-1].start == found.start
    if found.kind is MarkKind.CODE and is_in_pre:
        opened[-1] = opened[-1]._replace(value=found.value)
    elif found.kind is not None:
        value = "" if found.kind is MarkKind.CODE else found.value
        builder.mark(found.kind, found.start, value)
