"""What a worker remembers of the chats that it delivers."""

from __future__ import annotations

from session_worker.inbound.delivery import MOST_CHATS, ChatMemories
from session_worker.protocol.messages import ChatMemory, ChatRemembered, Contact
from tests.fakes.outbox import KeptOutbox


def test_chat_that_others_have_displaced_is_remembered_again() -> None:
    """However many chats are written in during a call to Planfix, what the call tells is kept."""
    outbox = KeptOutbox()
    chats, busy = ChatMemories(outbox), ChatMemory(peer_id=1)
    chats.get(busy)
    contact = Contact(peer_id=1, first_name="Anna")

    displace(chats)
    chats.remember_task(busy, 1001)
    assert chats.get(busy).task == 1001
    displace(chats)
    chats.remember_contact(ChatMemory(peer_id=1, task=1001), contact)

    assert chats.get(busy) == ChatMemory(peer_id=1, task=1001, contact=contact)
    assert [event.chat.contact for event in outbox.events if isinstance(event, ChatRemembered)] == [
        None,
        contact,
    ]


def test_chat_in_use_is_not_displaced() -> None:
    """The chats that are given up are those in which nobody has written for longest."""
    chats, stored = ChatMemories(KeptOutbox()), ChatMemory(peer_id=1)
    chats.remember_task(stored, 1001)

    for other in range(MOST_CHATS):
        chats.get(ChatMemory(peer_id=2 + other))
        assert chats.get(stored).task == 1001


def displace(chats: ChatMemories) -> None:
    for other in range(MOST_CHATS):
        chats.get(ChatMemory(peer_id=2 + other))
