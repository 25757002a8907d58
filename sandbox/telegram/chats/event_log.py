"""What happened to one account, in pts order."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

# Older events are forgotten, as Telegram does; a client that far behind is told "too long".
MAX_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message came into the box."""

    message_id: int


@dataclass(frozen=True, slots=True)
class EditedMessage:
    """A message in the box changed."""

    message_id: int


@dataclass(frozen=True, slots=True)
class DeletedMessages:
    """Messages left the box."""

    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReadInbox:
    """The account read a chat."""

    peer: int
    max_id: int
    unread: int


@dataclass(frozen=True, slots=True)
class ReadOutbox:
    """The other side read the account's messages."""

    peer: int
    max_id: int


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """Any other update with a pts; the users are those it mentions."""

    update: Any
    users: tuple[int, ...] = ()


Event = NewMessage | EditedMessage | DeletedMessages | ReadInbox | ReadOutbox | OtherEvent


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place; pts is the count of steps after it."""

    pts: int
    event: Event

    @property
    def steps(self) -> int:
        return steps_of(self.event)


def steps_of(event: Event) -> int:
    """Tell by how much an event moves pts."""
    return len(event.message_ids) if isinstance(event, DeletedMessages) else 1


class EventLog:
    """The events of one account that a client may still ask for."""

    def __init__(self) -> None:
        # Clients can't fill gaps from pts 0, so it starts at 1.
        self.pts = 1
        self._complete_from = 1
        self._entries: list[Entry] = []

    def append(self, event: Event) -> Entry:
        self.pts += steps_of(event)
        entry = Entry(self.pts, event)
        self._entries.append(entry)
        if len(self._entries) > 2 * MAX_KEPT:
            self._complete_from = self._entries[-MAX_KEPT - 1].pts
            del self._entries[:-MAX_KEPT]
        return entry

    def since(self, pts: int) -> list[Entry]:
        return self._entries[bisect_right(self._entries, pts, key=attrgetter("pts")) :]

    def is_forgotten(self, pts: int) -> bool:
        """Tell whether events after this pts are no longer known."""
        return pts < self._complete_from

    def forget(self) -> None:
        """Drop all events, so that whoever is behind is told "too long"."""
        self._entries.clear()
        self._complete_from = self.pts
