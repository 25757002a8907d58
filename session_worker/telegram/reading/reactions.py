"""Reactions to messages: who put which, and what has changed since the last time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from session_worker.texts.chat_texts import ChatTexts

MOST_KEPT = 500  # messages
RECENT = 2 * 24 * 3600  # seconds; an older reaction that the update of an edit lists is not new


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one person put under a message; without emojis, the person took everything back."""

    author: int
    emojis: tuple[str, ...]
    date: int


class ReactionMemory:
    """Remembers the reactions to the newest messages, because updates show all of them each time."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Mapping[int, Reaction]] = OrderedDict()

    def changes(self, message_id: int, found: Mapping[int, Reaction], now: int) -> list[Reaction]:
        """Return what was put or taken back since the last update about this message."""
        known = self._known.get(message_id, {})
        put = [each for who, each in found.items() if each != known.get(who)]
        taken = [Reaction(who, (), now) for who in known if who not in found]
        self._known[message_id] = found
        self._known.move_to_end(message_id)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        return [*put, *taken]


def reactions_of(shown: Any, texts: ChatTexts) -> dict[int, Reaction]:
    """Return who reacted to a message, and how."""
    found: dict[int, Reaction] = {}
    for each in getattr(shown, "recent_reactions", None) or ():
        if isinstance(each.peer_id, types.PeerUser):
            author = each.peer_id.user_id
            before = found[author].emojis if author in found else ()
            date = int(each.date.timestamp()) if each.date else 0
            found[author] = Reaction(author, (*before, _emoji(each.reaction, texts)), date)
    return found


def _emoji(reaction: Any, texts: ChatTexts) -> str:
    match reaction:
        case types.ReactionEmoji(emoticon=emoticon):
            return str(emoticon)
        case types.ReactionPaid():
            return "⭐"
        case _:
            return texts.custom_emoji
