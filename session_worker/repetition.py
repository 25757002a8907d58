"""What a server's complaint repeats of the call that it complains about."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "…"
SHORTEST = 4  # characters; a shorter value stands in ordinary words
PIECE = 12  # characters; servers cut texts short, put breaks between their lines
_LEFT_OUT = "\0"
# Names of calls and ids are no secret, and a complaint is of no use without them.
_TOLD = frozenset(
    {"cmd", "providerId", "channel", "chatId", "contactId", "telegramUserId"}
    | {"messageId", "messageStatus", "isEcho"}
)


def without_ours(complaint: str, form: Iterable[tuple[str, str]]) -> str:
    """Take keys, texts, names, links, pieces of them too, out of a complaint that is kept in clear."""
    values = {value for name, value in form if name not in _TOLD}
    written = {text for value in values for text in _written(value) if len(text) >= SHORTEST}
    chars = list(complaint)
    for start in range(len(complaint)):
        piece = complaint[start : start + PIECE]
        if len(piece) == PIECE and any(piece in text for text in written):
            chars[start : start + PIECE] = _LEFT_OUT * PIECE
    left = "".join(chars)
    for text in sorted(written, key=len, reverse=True):
        left = left.replace(text, _LEFT_OUT)
    return re.sub(f"{_LEFT_OUT}+", HIDDEN, left)


def _written(value: str) -> Iterator[str]:
    yield value
    yield repr(value)[1:-1]
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for escaped in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", "\\/")
    yield quote(value, safe="")
    yield quote_plus(value)
