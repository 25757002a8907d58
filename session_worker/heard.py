"""What was heard from Telegram, before it is decided what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_worker.protocol.messages import Incoming


@dataclass(frozen=True, slots=True)
class Written:
    """Something to be told to Planfix; without a text of its own it is called by its label."""

    incoming: Incoming
    label: str = ""
    album: int | None = None


@dataclass(frozen=True, slots=True)
class ReadUpTo:
    """The contact has read what the number wrote, up to a message."""

    peer_id: int
    up_to: int


Heard = Written | ReadUpTo
