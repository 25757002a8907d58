"""Messages to test with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_worker.protocol.messages import Contact, Incoming, IncomingFile, PartSent, Received
from session_worker.protocol.outgoing import Outgoing, Part

if TYPE_CHECKING:
    from supervisor.messages.hand_over import HandOver

NUMBER = "79001234567"


def incoming(*message_ids: int, peer_id: int = 1, **fields: Any) -> Incoming:
    known: dict[str, Any] = {
        "date": 1_700_000_000,
        "text": f"message {message_ids[0]}",
        "contact": Contact(peer_id=peer_id, first_name="Olena"),
    }
    return Incoming(peer_id=peer_id, message_ids=message_ids, **known | fields)


def received(*message_ids: int, peer_id: int = 1, **fields: Any) -> Received:
    return Received(
        positions=message_ids, incoming=incoming(*message_ids, peer_id=peer_id, **fields)
    )


def picture(message_id: int) -> IncomingFile:
    return IncomingFile(message_id=message_id, name=f"{message_id}.jpg", mime="image/jpeg", size=9)


def outgoing(planfix_id: str, peer_id: int = 1, parts: int = 1) -> Outgoing:
    return Outgoing(
        peer_id=peer_id,
        planfix_id=planfix_id,
        parts=tuple(
            Part(text=f"part {i} of {planfix_id}", random_ids=(i + 1,)) for i in range(parts)
        ),
    )


def sent(row: int, *message_ids: int | None, part: int = 0) -> PartSent:
    return PartSent(row=row, part=part, message_ids=message_ids)


def is_busy(hand_over: HandOver[Any]) -> bool:
    """Whether rows are being read, or are about to be."""
    return hand_over._is_reading or hand_over._wanted.is_set()
