"""What is known of a number's chats, the busiest of them in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from session_worker.protocol.messages import ChatMemory

if TYPE_CHECKING:
    from collections.abc import Collection

    from supervisor.journal.journal import Journal

MOST_KEPT = 500  # chats of one number


class KnownChats:
    """Answers from memory; asks the journal for chats that were quiet for long."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._chats: OrderedDict[int, ChatMemory] = OrderedDict()

    async def load(self, peers: Collection[int]) -> None:
        """Have these at hand until others come."""
        missing = [peer for peer in peers if peer not in self._chats]
        if missing:
            found = await self._journal.memories(missing)
            for peer in missing:
                # Meanwhile the worker may have told something newer.
                self._chats.setdefault(peer, found.get(peer) or ChatMemory(peer_id=peer))

    def forget_all(self) -> None:
        """Ask the journal again: what was stored last may not have been remembered here."""
        self._chats.clear()

    def recall(self, peer_id: int) -> ChatMemory | None:
        """Return what is known of a chat, unless busier chats have pushed it out."""
        if peer_id in self._chats:
            self._chats.move_to_end(peer_id)
        return self._chats.get(peer_id)

    def add(self, peer_id: int) -> None:
        """Remember a chat that has just begun."""
        if peer_id not in self._chats:
            self.remember(ChatMemory(peer_id=peer_id))

    def remember(self, chat: ChatMemory) -> None:
        self._chats[chat.peer_id] = chat
        self._chats.move_to_end(chat.peer_id)
        if len(self._chats) > MOST_KEPT:
            self._chats.popitem(last=False)

    async def has(self, peer_id: int) -> bool:
        """Whether this person can be written to without looking for them in Telegram."""
        if peer_id in self._chats:
            return True
        if not await self._journal.knows(peer_id):
            return False
        await self.load([peer_id])
        return True
