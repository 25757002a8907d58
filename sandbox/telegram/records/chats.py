"""Chats with several members: basic groups and channels."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.telegram.records.event_log import EventLog
from sandbox.telegram.records.mailbox import Mailbox

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.telegram.records.mailbox import Conversation

CHANNEL_OFFSET = 10**12


@dataclass(frozen=True, slots=True)
class Member:
    """A membership: when somebody joined a chat, and by whom."""

    inviter_id: int
    joined: datetime


@dataclass(slots=True, eq=False)
class Chat:
    """The fields that every chat has; the id is its peer number, which is negative."""

    id: int
    title: str
    creator_id: int
    date: datetime
    members: dict[int, Member] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Group(Chat):
    """A basic group; each member has a copy of its messages."""

    @property
    def bare_id(self) -> int:
        return -self.id


@dataclass(slots=True, eq=False)
class Channel(Chat):
    """A broadcast channel or a supergroup, whose messages stay in its own mailbox."""

    broadcast: bool = False
    # Anybody who knows a public channel may read it or join.
    public: bool = False
    # The time of the newest event, in the resolution that clients use.
    active: datetime | None = None
    box: Mailbox = field(default_factory=Mailbox)
    log: EventLog = field(default_factory=EventLog)
    # The topics of a forum, by the id of the message that opened each.
    topics: dict[int, str] = field(default_factory=dict)
    # The id up to which each member has read.
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
