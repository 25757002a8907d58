"""What Planfix knows of each chat, told upward whenever it changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from session_worker.protocol.messages import ChatMemory, ChatRemembered

if TYPE_CHECKING:
    from session_worker.protocol.messages import Contact
    from session_worker.session import Outbox

MOST_KEPT = 2000  # chats
TASK_LASTS = 3600.0  # seconds until a task may have been finished, another opened in its place


class ChatMemories:
    """The memories this process has made, which are newer than those handed down to it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._memories: OrderedDict[int, tuple[ChatMemory, float]] = OrderedDict()

    def recall(self, told: ChatMemory) -> ChatMemory:
        """Know what is known of a chat, given what the supervisor knew."""
        if told.peer_id not in self._memories:
            self._keep(told)
        return self._memories[told.peer_id][0]

    def is_task_old(self, peer_id: int) -> bool:
        """Whether the chat's task may be another by now."""
        return time.monotonic() - self._memories[peer_id][1] > TASK_LASTS

    def remember_task(self, peer_id: int, task: int | None) -> None:
        memory, _ = self._memories[peer_id]
        self._keep(memory.model_copy(update={"task": task}))
        self._tell(memory)

    def remember_contact(self, contact: Contact) -> None:
        memory, asked = self._memories[contact.peer_id]
        self._keep(memory.model_copy(update={"contact": contact}), asked)
        self._tell(memory)

    def _keep(self, memory: ChatMemory, asked: float | None = None) -> None:
        self._memories[memory.peer_id] = memory, time.monotonic() if asked is None else asked
        self._memories.move_to_end(memory.peer_id)
        if len(self._memories) > MOST_KEPT:
            self._memories.popitem(last=False)

    def _tell(self, before: ChatMemory) -> None:
        memory, _ = self._memories[before.peer_id]
        if memory != before:
            self._outbox.put(ChatRemembered(chat=memory))
