"""The messages of one account, ordered per chat."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one person feels about a message, as TL objects."""

    emojis: tuple[Any, ...]
    date: datetime


@dataclass(slots=True)
class Content:
    """The content that all copies of one message share; a change is visible to everyone."""

    sender_id: int
    date: datetime
    text: str = ""
    entities: list[Any] = field(default_factory=list)
    media: Any = None
    # A service message ("missed call") has an action and neither text nor media.
    action: Any = None
    reply_to: Content | None = None
    forward: Any = None
    grouped_id: int | None = None
    reply_markup: Any = None
    # The topic of a forum: the id of the message that opened it.
    topic: int | None = None
    silent: bool = False
    # Written in the name of a broadcast channel, which hides the author.
    is_post: bool = False
    # The recipient has played the voice or round video message.
    was_played: bool = False
    edit_date: datetime | None = None
    # The change of edit_date is not shown: only the reactions changed.
    is_edit_hidden: bool = False
    reactions: dict[int, Reaction] = field(default_factory=dict)
    # The id of this message in the mailbox of each account that has a copy.
    copies: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One account's copy of a message; peer is positive for users, negative for chats."""

    id: int
    peer: int
    out: bool
    content: Content
    random_id: int | None = None


@dataclass(slots=True)
class Conversation:
    """The chat of one account with one peer."""

    ids: list[int] = field(default_factory=list)
    incoming: list[int] = field(default_factory=list)
    read_inbox: int = 0
    read_outbox: int = 0

    @property
    def top(self) -> int:
        return self.ids[-1] if self.ids else 0

    @property
    def unread(self) -> int:
        return len(self.incoming) - bisect_right(self.incoming, self.read_inbox)

    def add(self, message: Message) -> None:
        insort(self.ids, message.id)
        if not message.out:
            insort(self.incoming, message.id)

    def discard(self, message: Message) -> None:
        for ids in (self.ids, self.incoming):
            place = bisect_left(ids, message.id)
            if ids[place : place + 1] == [message.id]:
                del ids[place]

    def newest_incoming(self, up_to: int) -> int:
        """Return the newest message from the other side up to an id; 0 means any."""
        place = bisect_right(self.incoming, up_to) if up_to else len(self.incoming)
        return self.incoming[place - 1] if place else 0


class Mailbox:
    """All messages of one account, under the account's own ids."""

    def __init__(self) -> None:
        self._messages: dict[int, Message] = {}
        self._by_random_id: dict[int, int] = {}
        self._last_id = 0
        self.conversations: dict[int, Conversation] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages.values())

    def get(self, message_id: int) -> Message | None:
        return self._messages.get(message_id)

    def sent_with(self, random_id: int) -> int | None:
        """Return the id of the message that was sent with this random_id, even a deleted one."""
        return self._by_random_id.get(random_id)

    def conversation(self, peer: int) -> Conversation:
        return self.conversations.setdefault(peer, Conversation())

    def add(
        self, owner_id: int, peer: int, content: Content, *, out: bool, random_id: int | None = None
    ) -> Message:
        """Add a copy under the next id."""
        self._last_id += 1
        message = Message(self._last_id, peer, out, content, random_id)
        self._messages[message.id] = message
        self.conversation(peer).add(message)
        content.copies[owner_id] = message.id
        if random_id is not None:
            self._by_random_id[random_id] = message.id
        return message

    def remove(self, message_id: int) -> Message | None:
        message = self._messages.pop(message_id, None)
        if message is not None:
            self.conversation(message.peer).discard(message)
        return message
