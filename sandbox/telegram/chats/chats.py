"""The chats of more than two: basic groups, channels."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.telegram.chats.event_log import EventLog
from sandbox.telegram.chats.mailbox import Mailbox

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.telegram.chats.mailbox import Conversation

CHANNEL_OFFSET = 10**12


@dataclass(frozen=True, slots=True)
class Member:
    """How somebody came into a chat."""

    inviter_id: int
    joined: datetime


@dataclass(slots=True, eq=False)
class Chat:
    """What every chat has; the id is its peer number, which is negative."""

    id: int
    title: str
    creator_id: int
    date: datetime
    members: dict[int, Member] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Group(Chat):
    """A basic group, of whose messages each member keeps a copy."""

    @property
    def bare_id(self) -> int:
        return -self.id


@dataclass(slots=True, eq=False)
class Channel(Chat):
    """A broadcast channel or a supergroup, whose messages stay in its own box."""

    broadcast: bool = False
    # Whoever knows a public channel may read it or join.
    public: bool = False
    # The newest event, in the resolution that clients ask with.
    active: datetime | None = None
    box: Mailbox = field(default_factory=Mailbox)
    log: EventLog = field(default_factory=EventLog)
    # Up to which message each member has read.
    read: dict[int, int] = field(default_factory=dict)

    @property
    def bare_id(self) -> int:
        return -CHANNEL_OFFSET - self.id

    @property
    def conversation(self) -> Conversation:
        return self.box.conversation(self.id)

    def is_open_to(self, account_id: int) -> bool:
        return self.public or account_id in self.members

    def unread_by(self, account_id: int) -> int:
        ids = self.conversation.ids
        return len(ids) - bisect_right(ids, self.read.get(account_id, 0))
