"""What Planfix knows about each chat, reported to the supervisor whenever it changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from session_worker.protocol.messages import ChatMemory, ChatRemembered

if TYPE_CHECKING:
    from session_worker.protocol.messages import Contact
    from session_worker.session import Outbox

MOST_KEPT = 2000  # chats
TASK_LASTS = 3600.0  # seconds after which a task may have been closed and replaced by another


class ChatMemories:
    """What this process has learnt about chats, which is newer than what the supervisor sent."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._memories: OrderedDict[int, tuple[ChatMemory, float]] = OrderedDict()

    def get(self, stored: ChatMemory) -> ChatMemory:
        """Return what is known of a chat, given what the supervisor has stored."""
        if stored.peer_id not in self._memories:
            self._store(stored)
        return self._memories[stored.peer_id][0]

    def is_task_old(self, peer_id: int) -> bool:
        """Whether the chat may have another task by now."""
        return time.monotonic() - self._memories[peer_id][1] > TASK_LASTS

    def remember_task(self, peer_id: int, task: int | None) -> None:
        memory, _ = self._memories[peer_id]
        self._store(memory.model_copy(update={"task": task}))
        self._report_change(memory)

    def remember_contact(self, contact: Contact) -> None:
        memory, asked_at = self._memories[contact.peer_id]
        self._store(memory.model_copy(update={"contact": contact}), asked_at)
        self._report_change(memory)

    def _store(self, memory: ChatMemory, asked_at: float | None = None) -> None:
        self._memories[memory.peer_id] = memory, time.monotonic() if asked_at is None else asked_at
        self._memories.move_to_end(memory.peer_id)
        if len(self._memories) > MOST_KEPT:
            self._memories.popitem(last=False)

    def _report_change(self, before: ChatMemory) -> None:
        memory, _ = self._memories[before.peer_id]
        if memory != before:
            self._outbox.put(ChatRemembered(chat=memory))
