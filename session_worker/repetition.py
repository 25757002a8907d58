"""What a server's complaint repeats of the call that it complains about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "…"
SHORTEST = 4  # characters; a shorter value stands in ordinary words
# Names of calls and ids are no secret, and a complaint is of no use without them.
_TOLD = frozenset(
    {"cmd", "providerId", "channel", "chatId", "contactId", "telegramUserId"}
    | {"messageId", "messageStatus", "isEcho"}
)


def without_ours(complaint: str, form: Iterable[tuple[str, str]]) -> str:
    """Take keys, texts, names, links out of a complaint that is kept in clear."""
    values = {text for name, value in form if name not in _TOLD for text in _pieces(value)}
    written = {text for value in values for text in _written(value) if len(text) >= SHORTEST}
    for text in sorted(written, key=len, reverse=True):
        complaint = complaint.replace(text, HIDDEN)
    return complaint


def _pieces(value: str) -> Iterator[str]:
    """Give the whole, then its lines: HTML may put something between them."""
    yield value
    yield from value.split("\n")


def _written(value: str) -> Iterator[str]:
    yield value
    yield repr(value)[1:-1]
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for escaped in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", "\\/")
    yield quote(value, safe="")
    yield quote_plus(value)
