"""Albums, whose items become one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_worker.protocol.bots import HeardMessage
    from session_worker.protocol.messages import Incoming
    from session_worker.telegram.reading.message_parser import ParsedMessage
    from session_worker.texts.chat_texts import ChatTexts

LONGEST = 10  # messages


@dataclass(frozen=True, slots=True)
class AlbumTiming:
    """How long to wait for the rest of an album, in seconds.

    Telethon waits half a second for a missing update before it fetches it, so only a longer silence
    means that an album is complete.
    """

    quiet: float = 1.5  # after the last item
    longest: float = 15.0  # after the first item, even if more may follow


@dataclass(frozen=True, slots=True)
class CompleteMessage:
    """One message for Planfix, with the positions of all updates it is made of."""

    positions: tuple[int, ...]
    incoming: Incoming
    heard: HeardMessage | None = None
    is_for_planfix: bool = True


@dataclass(slots=True)
class _Album:
    group: int
    began: float
    due: float = 0.0
    positions: list[int] = field(default_factory=list)
    items: list[ParsedMessage] = field(default_factory=list)


class Albums:
    """Holds back the items of an album until it is complete; everything else passes through."""

    def __init__(self, texts: ChatTexts, timing: AlbumTiming | None = None) -> None:
        self._texts = texts
        self._timing = timing or AlbumTiming()
        self._open: dict[int, _Album] = {}

    @property
    def next_due(self) -> float | None:
        """When the next album is complete if no other item arrives."""
        return min((album.due for album in self._open.values()), default=None)

    def add(
        self, positions: tuple[int, ...], parsed: ParsedMessage, now: float
    ) -> list[CompleteMessage]:
        """Add a parsed message and return the messages that are complete now, in order."""
        peer_id = parsed.incoming.peer_id
        album = self._open.get(peer_id)
        done = []
        if album is not None and (album.group != parsed.album or len(album.items) >= LONGEST):
            done.append(self._close(peer_id))
            album = None
        if parsed.album is None:
            return [*done, self._complete(positions, [parsed])]
        if album is None:
            album = self._open[peer_id] = _Album(parsed.album, now)
        album.items.append(parsed)
        album.positions += positions
        self._postpone(album, now)
        return done

    def close_due(self, now: float, *, more_may_come: bool = False) -> list[CompleteMessage]:
        """Return the albums to which nothing was added for a while.

        While updates are missing, silence means nothing, so these albums are kept open.
        """
        for album in self._open.values():
            if more_may_come and album.due <= now:
                self._postpone(album, now)
        due = [peer_id for peer_id, album in self._open.items() if album.due <= now]
        return [self._close(peer_id) for peer_id in due]

    def close_all(self) -> list[CompleteMessage]:
        return [self._close(peer_id) for peer_id in list(self._open)]

    def _postpone(self, album: _Album, now: float) -> None:
        album.due = min(now + self._timing.quiet, album.began + self._timing.longest)

    def _close(self, peer_id: int) -> CompleteMessage:
        album = self._open.pop(peer_id)
        return self._complete(tuple(album.positions), album.items)

    def _complete(self, positions: tuple[int, ...], items: list[ParsedMessage]) -> CompleteMessage:
        first = items[0]
        joined = _joined(items, self._texts)
        return CompleteMessage(positions, joined, first.heard, first.is_for_planfix)


def _joined(items: list[ParsedMessage], texts: ChatTexts) -> Incoming:
    """Join the items under one text: their captions, or else a label that says what they are."""
    items = sorted(items, key=lambda item: item.incoming.message_ids)
    first = items[0].incoming
    label = items[0].label if len(items) == 1 else texts.album.format(count=len(items))
    lines = [line for item in items for line in (item.preface, _caption(item)) if line]
    ids = dict.fromkeys(i for item in items for i in item.incoming.message_ids)
    return first.changed(
        message_ids=tuple(ids),
        text="\n".join(dict.fromkeys(lines)) or label or texts.empty,
        files=tuple(file for item in items for file in item.incoming.files),
    )


def _caption(item: ParsedMessage) -> str:
    return item.incoming.text.removeprefix(item.preface).removeprefix("\n")
