"""What people do with messages, whether a client's request or a test starts it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sandbox.telegram.clock import now
from sandbox.telegram.errors import RpcError
from sandbox.telegram.protocol.newer_layer import NewerObject
from sandbox.telegram.records.chats import Group
from sandbox.telegram.records.event_log import (
    DeletedMessages,
    EditedMessage,
    NewMessage,
    ReadInbox,
    ReadOutbox,
)
from sandbox.telegram.records.mailbox import Content, Reaction

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.telegram.accounts.accounts import Account, Accounts
    from sandbox.telegram.chats.update_push import UpdatePush
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.records.event_log import Entry
    from sandbox.telegram.records.mailbox import Message


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be sent; entities, media, action and forward are TL objects."""

    text: str = ""
    entities: tuple[Any, ...] = ()
    media: Any = None
    action: Any = None
    reply_to: Content | None = None
    forward: Any = None
    grouped_id: int | None = None
    reply_markup: Any = None
    topic: int | None = None
    silent: bool = False
    random_id: int | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The sender's copy of a message, and its place in the sender's log."""

    message: Message
    entry: Entry


class MessageActions:
    """Stores messages in mailboxes and pushes them to the owners."""

    def __init__(self, accounts: Accounts, update_push: UpdatePush) -> None:
        self._accounts = accounts
        self._update_push = update_push

    def send(
        self,
        sender: Account,
        recipient: Account | Group,
        draft: Draft,
        *,
        origin: Session | None = None,
    ) -> Posted:
        """Send a message to one or to a group; origin is the session that gets it as its answer."""
        if isinstance(recipient, Group):
            return self._send_to_members(sender, recipient, draft, origin)
        _refuse_stranger(sender, recipient)
        _refuse_blocked(sender, recipient)
        if recipient.bot_profile:
            recipient.bot_profile.acquaintances.add(sender.id)
        if self._update_push.writes_newer(sender, recipient):
            draft = replace(draft, media=NewerObject())
        content = content_of(sender, draft)
        posted = self._put(sender, recipient.id, content, draft.random_id, origin)
        if recipient is not sender:
            self._put(recipient, sender.id, content, None, None, out=False)
        return posted

    def edit(
        self,
        author: Account,
        message_id: int,
        draft: Draft,
        *,
        origin: Session | None = None,
    ) -> Posted:
        """Change the text and the buttons of an account's own message in every copy, and its media if given."""
        message = self.own_message(author, message_id)
        rewrite(message.content, draft)
        return Posted(message, self.announce_edit(author, message, origin=origin))

    def react(
        self,
        reader: Account,
        message_id: int,
        emojis: tuple[Any, ...],
        *,
        origin: Session | None = None,
    ) -> Posted:
        """Put somebody's reactions in place of their earlier ones, which is a hidden edit for all."""
        message = reader.box.get(message_id)
        if message is None:
            raise RpcError("MESSAGE_ID_INVALID")
        content = message.content
        content.reactions.pop(reader.id, None)
        if emojis:
            content.reactions[reader.id] = Reaction(emojis, now())
        if content.edit_date is None or content.is_edit_hidden:
            content.edit_date, content.is_edit_hidden = now(), True
        return Posted(message, self.announce_edit(reader, message, origin=origin))

    def announce_edit(
        self, author: Account, message: Message, *, origin: Session | None = None
    ) -> Entry:
        """Push the changed content to every holder of a copy; return the author's event."""
        for account, copy_id in self._copies(message.content):
            if account is not author:
                self._update_push.record(account, EditedMessage(copy_id))
        return self._update_push.record(author, EditedMessage(message.id), origin=origin)

    def delete(
        self,
        account: Account,
        message_ids: list[int],
        *,
        for_all: bool,
        origin: Session | None = None,
    ) -> int:
        """Delete messages, on request on the other side too; return how many there were."""
        gone = [m for i in dict.fromkeys(message_ids) if (m := account.box.remove(i))]
        others: dict[Account, list[int]] = {}
        for message in gone:
            message.content.copies.pop(account.id, None)
            for holder, copy_id in self._copies(message.content) if for_all else ():
                message.content.copies.pop(holder.id)
                holder.box.remove(copy_id)
                others.setdefault(holder, []).append(copy_id)
        if gone:
            event = DeletedMessages(tuple(message.id for message in gone))
            self._update_push.record(account, event, origin=origin)
        for holder, copy_ids in others.items():
            self._update_push.record(holder, DeletedMessages(tuple(copy_ids)))
        return len(gone)

    def read(
        self,
        reader: Account,
        peer: Account | Group,
        up_to: int = 0,
        *,
        origin: Session | None = None,
    ) -> bool:
        """Mark a chat as read up to an id; 0 means all. Return whether anything changed."""
        chat = reader.box.conversation(peer.id)
        newest = chat.newest_incoming(up_to)
        if newest <= chat.read_inbox:
            return False
        chat.read_inbox = newest
        self._update_push.record(reader, ReadInbox(peer.id, newest, chat.unread), origin=origin)
        if message := reader.box.get(newest):
            self._show_read_to_author(message.content)
        return True

    def own_message(self, author: Account, message_id: int) -> Message:
        """Return a message that this account wrote."""
        message = author.box.get(message_id)
        if message is None:
            raise RpcError("MESSAGE_ID_INVALID")
        if message.content.sender_id != author.id:
            raise RpcError("MESSAGE_AUTHOR_REQUIRED")
        return message

    def _send_to_members(
        self, sender: Account, group: Group, draft: Draft, origin: Session | None
    ) -> Posted:
        if sender.id not in group.members:
            raise RpcError("CHAT_WRITE_FORBIDDEN")
        content = content_of(sender, draft)
        posted = self._put(sender, group.id, content, draft.random_id, origin)
        for member_id in group.members:
            if member_id != sender.id:
                self._put(self._accounts[member_id], group.id, content, None, None, out=False)
        return posted

    def _show_read_to_author(self, content: Content) -> None:
        """Push to the author that somebody has read the message."""
        author = self._accounts[content.sender_id]
        message = author.box.get(content.copies.get(author.id, 0))
        if message is None:
            return
        chat = author.box.conversation(message.peer)
        if message.id > chat.read_outbox:
            chat.read_outbox = message.id
            self._update_push.record(author, ReadOutbox(message.peer, message.id))

    def _put(
        self,
        owner: Account,
        peer: int,
        content: Content,
        random_id: int | None,
        origin: Session | None,
        *,
        out: bool = True,
    ) -> Posted:
        message = owner.box.add(owner.id, peer, content, out=out, random_id=random_id)
        return Posted(
            message, self._update_push.record(owner, NewMessage(message.id), origin=origin)
        )

    def _copies(self, content: Content) -> list[tuple[Account, int]]:
        return [(self._accounts[holder], copy_id) for holder, copy_id in content.copies.items()]


def rewrite(content: Content, draft: Draft) -> None:
    """Change the content of a message; raise RpcError if it says all that already."""
    entities, media = list(draft.entities), draft.media
    before = (content.text, content.entities, content.reply_markup)
    if media is None and before == (draft.text, entities, draft.reply_markup):
        raise RpcError("MESSAGE_NOT_MODIFIED")
    content.text, content.entities, content.edit_date = draft.text, entities, now()
    content.is_edit_hidden = False
    content.media = content.media if media is None else media
    content.reply_markup = draft.reply_markup


def _refuse_stranger(sender: Account, recipient: Account) -> None:
    """Keep a bot from writing to another bot, and to a person who has never written to it."""
    if sender.bot_profile is None:
        return
    if recipient.bot:
        raise RpcError("USER_IS_BOT")
    if recipient.id not in sender.bot_profile.acquaintances:
        raise RpcError("PEER_ID_INVALID")


def _refuse_blocked(sender: Account, recipient: Account) -> None:
    if sender.id in recipient.blocked:
        raise RpcError("USER_IS_BLOCKED")
    if recipient.id in sender.blocked:
        raise RpcError("YOU_BLOCKED_USER")


def content_of(sender: Account, draft: Draft) -> Content:
    """Create the content that all copies of a message share."""
    return Content(
        sender_id=sender.id,
        date=draft.date or now(),
        text=draft.text,
        entities=list(draft.entities),
        media=draft.media,
        action=draft.action,
        reply_to=draft.reply_to,
        forward=draft.forward,
        grouped_id=draft.grouped_id,
        reply_markup=draft.reply_markup,
        topic=draft.topic,
        silent=draft.silent,
    )
