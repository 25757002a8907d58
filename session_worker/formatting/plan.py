"""Splits what an employee wrote into messages that Telegram accepts."""

from __future__ import annotations

import re
import secrets
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import combining

from session_worker.formatting.markup import Plain
from session_worker.formatting.media_kind import can_join_album
from session_worker.formatting.rendering import Layout, is_quote, lay_out, render, width_of
from session_worker.protocol.outgoing import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from session_worker.protocol.outgoing import Attachment, Mark


LONGEST_TEXT = 4096  # UTF-16 units, like the next
LONGEST_CAPTION = 1024
LONGEST_ALBUM = 10
# The best places to cut are listed first.
_PLACES = tuple(map(re.compile, (r"\n\s*\n", r"\n", r"[.!?…]+\s", r"\s+")))
_SPECIAL = re.compile(r"[<>&\[\r\xa0]")  # characters that a rendered text may omit or replace
_JOINER = "\u200d"
_CLINGING = _JOINER + "\ufe0e\ufe0f"  # characters that join or change the one before them


def draw_random_id() -> int:
    """Draw an id by which Telegram recognises a message that is sent again."""
    return 1 + secrets.randbelow(2**63 - 1)


def plan(
    text: str, attachments: Sequence[Attachment], draw: Callable[[], int] = draw_random_id
) -> tuple[Part, ...]:
    """Decide which messages are sent, in order, each under a new random id.

    The texts of the parts joined are the whole text. A part with files and text has one more id
    than files: for the text alone, in case it cannot be a caption. If there is nothing to read and
    no file, there are no parts.
    """
    texts = split(repair_surrogates(text).replace("\0", ""))  # the pipe drops this character, too
    can_be_caption = (
        bool(attachments)  # the only messages whose text has to be rendered here
        and len(texts) == 1
        and width_of(render(texts[0]).text) <= LONGEST_CAPTION
    )
    return arrange([(each, None) for each in texts], attachments, can_be_caption, draw)


def arrange(
    texts: Sequence[tuple[str, tuple[Mark, ...] | None]],
    attachments: Sequence[Attachment],
    can_be_caption: bool,
    draw: Callable[[], int] = draw_random_id,
    *,
    last_alone: bool = False,
) -> tuple[Part, ...]:
    """Make the parts of texts that are short enough, each with its marks, and of files.

    The last file is no part of an album if it is to carry the buttons.
    """
    groups = list(_groups(attachments))
    if last_alone and groups and len(groups[-1]) > 1:
        groups[-1:] = [groups[-1][:-1], groups[-1][-1:]]
    if groups and can_be_caption:
        [text], [first, *groups] = texts, groups
        messages = [(*text, first)]
    else:
        messages = [(*text, ()) for text in texts]
    messages += [("", None, group) for group in groups]
    return tuple(_part(*message, draw) for message in messages)


def split(text: str, limit: int = LONGEST_TEXT) -> list[str]:
    """Split a comment so that each piece, rendered by itself, is neither blank nor too long."""
    if not _SPECIAL.search(text) and width_of(text) <= limit:
        # A shortcut for most texts: all that follows would give the same result.
        return [text] if text.strip() else []
    layout = lay_out(text)
    cuts = (layout.plain.origins[cut] for cut in _Cutter(layout).cuts(limit))
    pieces = [text[start:end] for start, end in pairwise((0, *cuts, len(text)))]
    return _without_blanks(pieces)


def cut_places(text: str, solid: Sequence[tuple[int, int]], limit: int = LONGEST_TEXT) -> list[int]:
    """Return where to cut a text without tags, best between sentences and never inside `solid`."""
    plain = Plain(text, tuple(range(len(text) + 1)), ())
    return list(_Cutter(Layout(plain, (), tuple(solid), ())).cuts(limit))


def repair_surrogates(text: str) -> str:
    """Join surrogate halves that form a pair, and replace all others, because they cannot be encoded."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _part(
    text: str,
    marks: tuple[Mark, ...] | None,
    files: tuple[int, ...],
    draw: Callable[[], int],
) -> Part:
    ids = len(files) + bool(text)
    return Part(text=text, marks=marks, files=files, random_ids=tuple(draw() for _ in range(ids)))


def _groups(attachments: Sequence[Attachment]) -> Iterator[tuple[int, ...]]:
    """Group pictures and videos into albums; they come first, and the rest follows one by one."""
    seen = [i for i, each in enumerate(attachments) if can_join_album(each.name)]
    for start in range(0, len(seen), LONGEST_ALBUM):
        yield tuple(seen[start : start + LONGEST_ALBUM])
    for index in range(len(attachments)):
        if index not in seen:
            yield (index,)


class _Cutter:
    """Finds where a text may be cut to continue in the next message."""

    def __init__(self, layout: Layout) -> None:
        self._text = layout.plain.text
        self._origins = layout.plain.origins
        self._widths = layout.widths()
        self._in_link = bytearray(len(self._origins))
        for start, end in layout.solid:
            self._in_link[start + 1 : end] = b"\1" * max(0, end - start - 1)

    def cuts(self, limit: int) -> Iterator[int]:
        start = 0
        while self._widths[-1] - self._widths[start] > limit:
            reach = bisect_right(self._widths, self._widths[start] + limit) - 1
            start = self._best_cut(start, reach)
            yield start

    def _best_cut(self, start: int, reach: int) -> int:
        """Choose where a piece ends that may extend to ``reach``."""
        for place in _PLACES:
            found = place.finditer(self._text, (start + reach) // 2, reach)
            ends = [each.end() for each in found if self._may_cut(each.end())]
            if ends:
                return ends[-1]
        anywhere = (end for end in range(reach, start, -1) if self._may_cut(end))
        return next(anywhere, reach)

    def _may_cut(self, at: int) -> bool:
        text = self._text
        # A piece must not begin with something that would turn it into a quote.
        becomes_quote = is_quote(text, at) and text[at - 1] != "\n"
        clings = combining(text[at]) or text[at] in _CLINGING or text[at - 1] == _JOINER
        is_new = self._origins[at] > self._origins[at - 1]
        return is_new and not (self._in_link[at] or becomes_quote or clings)


def _without_blanks(pieces: list[str]) -> list[str]:
    """Join each blank piece to the piece before or after it."""
    joined: list[str] = []
    for piece in pieces:
        if joined and not (render(piece).text and render(joined[-1]).text):
            joined[-1] += piece
        else:
            joined.append(piece)
    return [piece for piece in joined if render(piece).text]
