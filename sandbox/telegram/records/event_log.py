"""The events of one account, in the order of their pts."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

# Older events are forgotten, as Telegram does; a client that far behind is told "too long".
MAX_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message came into the mailbox."""

    message_id: int


@dataclass(frozen=True, slots=True)
class EditedMessage:
    """A message in the mailbox changed."""

    message_id: int


@dataclass(frozen=True, slots=True)
class DeletedMessages:
    """Messages left the mailbox."""

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
class BotStopped:
    """A person has blocked the bot, or no longer blocks it; such events are counted by qts."""

    user_id: int
    date: datetime
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """Any other update with a pts, and the users that it mentions."""

    update: Any
    users: tuple[int, ...] = ()


Event = (
    NewMessage | EditedMessage | DeletedMessages | ReadInbox | ReadOutbox | BotStopped | OtherEvent
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event and its place; pts is the count of steps after it."""

    pts: int
    event: Event

    @property
    def steps(self) -> int:
        return steps_of(self.event)


def steps_of(event: Event) -> int:
    """Return by how much an event increases pts."""
    return len(event.message_ids) if isinstance(event, DeletedMessages) else 1


class EventLog:
    """The events of one account that a client may still ask for."""

    def __init__(self) -> None:
        # Clients cannot fill gaps from pts 0, so it starts at 1.
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
        """Return whether events after this pts are no longer known."""
        return pts < self._complete_from

    def forget(self) -> None:
        """Drop all events, so that clients that missed some get "too long"."""
        self._entries.clear()
        self._complete_from = self.pts
