"""The newest messages of all chats and those we sent, for replies, edits and deletions."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.formatting.rendering import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.messages import Part
    from session_worker.telegram.reading.message_index import MessageIndex


class SentMessages:
    """Records what we sent, which Telegram does not report to its sender.

    Its index is separate from that of received messages, whose newest id says up to where
    everything was received.
    """

    def __init__(self, recent_messages: RecentMessages, places: MessageIndex) -> None:
        self._recent_messages = recent_messages
        self._places = places

    async def add(self, peer_id: int, part: Part, sent: Sequence[int | None]) -> None:
        """Record which messages a part has become."""
        found = [message_id for message_id in dict.fromkeys(sent) if message_id and message_id > 0]
        for message_id in found:
            self._places.add(message_id, peer_id, is_out=True)
        if part.text and sent[-1] in found:
            self._remember(peer_id, sent[-1], part.text)
        await self._places.save()

    def _remember(self, peer_id: int, message_id: int | None, text: str) -> None:
        if message_id is not None and self._recent_messages.find(message_id) is None:
            recent = RecentMessage(peer_id, is_out=True, snippet=snippet(render(text).text))
            self._recent_messages.add(message_id, recent)


MOST_KEPT = 500  # messages
LONGEST_SNIPPET = 200  # characters


@dataclass(frozen=True, slots=True)
class RecentMessage:
    """One message, shortened."""

    peer_id: int
    is_out: bool
    snippet: str
    file: int | None = None


class RecentMessages:
    """The newest messages of all chats, by their ids."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, RecentMessage] = OrderedDict()

    def add(self, message_id: int, recent: RecentMessage) -> None:
        self._messages[message_id] = recent
        self._messages.move_to_end(message_id)
        if len(self._messages) > MOST_KEPT:
            self._messages.popitem(last=False)

    def find(self, message_id: int) -> RecentMessage | None:
        return self._messages.get(message_id)


def snippet(text: str) -> str:
    """Shorten a text to its beginning."""
    text = text.strip()
    return text if len(text) <= LONGEST_SNIPPET else f"{text[:LONGEST_SNIPPET].rstrip()}…"
