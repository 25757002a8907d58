"""What people do in channels, whether a client's request or a test starts it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft, Posted, content_of, rewrite
from sandbox.telegram.clock import now
from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.chats import CHANNEL_OFFSET, Channel, Member
from sandbox.telegram.records.event_log import DeletedMessages, EditedMessage, NewMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.telegram.accounts.accounts import Account, Accounts
    from sandbox.telegram.chats.update_push import UpdatePush
    from sandbox.telegram.protocol.client_session import Session
    from sandbox.telegram.records.mailbox import Message

_FIRST_ID = 1_500_000_001
_TOPIC_COLOUR = 0x6FB9F0


class Channels:
    """Creates channels, adds and removes members, and stores posts in the channels' mailboxes."""

    def __init__(self, accounts: Accounts, update_push: UpdatePush) -> None:
        self._accounts = accounts
        self._update_push = update_push
        self._ids = count(_FIRST_ID)

    def create(
        self,
        owner: Account,
        title: str,
        *,
        broadcast: bool,
        public: bool = False,
        origin: Session | None = None,
    ) -> tuple[Channel, Posted]:
        """Make a broadcast channel or a supergroup; its first message announces it."""
        if not title.strip():
            raise RpcError("CHAT_TITLE_EMPTY")
        peer = -CHANNEL_OFFSET - next(self._ids)
        channel = Channel(peer, title, owner.id, now(), broadcast=broadcast, public=public)
        self._accounts.chats[channel.id] = channel
        self._admit(channel, owner, owner, origin)
        created = types.MessageActionChannelCreate(title)
        return channel, self._put(channel, owner, Draft(action=created), origin)

    def invite(
        self,
        channel: Channel,
        inviter: Account,
        people: Sequence[Account],
        *,
        origin: Session | None = None,
    ) -> Posted | None:
        """Add people; only a supergroup has a message that announces it."""
        if not _may_write(channel, inviter):
            raise RpcError("CHAT_ADMIN_REQUIRED")
        newcomers = [account for account in people if account.id not in channel.members]
        for account in newcomers:
            self._admit(channel, account, inviter)
        if channel.broadcast or not newcomers:
            return None
        added = types.MessageActionChatAddUser([account.id for account in newcomers])
        return self._put(channel, inviter, Draft(action=added), origin)

    def open_topic(self, channel: Channel, opener: Account, title: str) -> Posted:
        """Open a topic, which makes the supergroup a forum."""
        if channel.broadcast or not _may_write(channel, opener):
            raise RpcError("CHAT_ADMIN_REQUIRED")
        opened = types.MessageActionTopicCreate(title, _TOPIC_COLOUR)
        posted = self._put(channel, opener, Draft(action=opened), None)
        channel.topics[posted.message.id] = title
        return posted

    def join(self, channel: Channel, account: Account, *, origin: Session | None = None) -> None:
        if account.id in channel.members:
            raise RpcError("USER_ALREADY_PARTICIPANT")
        self._admit(channel, account, account, origin)

    def leave(self, channel: Channel, account: Account, *, origin: Session | None = None) -> None:
        if account.id not in channel.members:
            raise RpcError("USER_NOT_PARTICIPANT")
        if account.id == channel.creator_id:
            raise RpcError("USER_CREATOR")
        del channel.members[account.id], channel.read[account.id]
        self._show(channel, account, origin)

    def post(
        self, channel: Channel, author: Account, draft: Draft, *, origin: Session | None = None
    ) -> Posted:
        """Write a message; in a broadcast channel only its owner may."""
        if not _may_write(channel, author):
            raise RpcError("CHAT_WRITE_FORBIDDEN")
        return self._put(channel, author, draft, origin)

    def edit(
        self,
        channel: Channel,
        author: Account,
        message_id: int,
        draft: Draft,
        *,
        origin: Session | None = None,
    ) -> Posted:
        """Change the text and the buttons of one's own message."""
        message = _own_message(channel, author, message_id)
        rewrite(message.content, draft)
        event = EditedMessage(message_id)
        return Posted(message, self._update_push.record_in(channel, event, origin=origin))

    def delete(
        self,
        channel: Channel,
        account: Account,
        message_ids: list[int],
        *,
        origin: Session | None = None,
    ) -> int:
        """Delete messages and return how many there were; the owner may delete any message."""
        gone = [m for i in dict.fromkeys(message_ids) if (m := channel.box.get(i))]
        others = [m for m in gone if m.content.sender_id != account.id]
        if others and account.id != channel.creator_id:
            raise RpcError("MESSAGE_DELETE_FORBIDDEN")
        for message in gone:
            channel.box.remove(message.id)
        if gone:
            event = DeletedMessages(tuple(message.id for message in gone))
            self._update_push.record_in(channel, event, origin=origin)
        return len(gone)

    def read(
        self, channel: Channel, reader: Account, up_to: int, *, origin: Session | None = None
    ) -> bool:
        """Mark a channel as read up to an id; 0 means all. Return whether anything changed."""
        if reader.id not in channel.members:
            raise RpcError("USER_NOT_PARTICIPANT")
        newest = channel.conversation.newest_incoming(up_to)
        if newest <= channel.read[reader.id]:
            return False
        channel.read[reader.id] = newest
        unread = channel.unread_by(reader.id)
        update = types.UpdateReadChannelInbox(channel.bare_id, newest, unread, channel.log.pts)
        self._update_push.push(reader, update, {channel.id}, origin=origin)
        return True

    def _admit(
        self, channel: Channel, account: Account, inviter: Account, origin: Session | None = None
    ) -> None:
        channel.members[account.id] = Member(inviter.id, now())
        # Messages from before the invitation do not count as unread.
        channel.read[account.id] = channel.conversation.top
        self._show(channel, account, origin)

    def _show(self, channel: Channel, account: Account, origin: Session | None) -> None:
        """Push to an account that its membership in the channel has changed."""
        update = types.UpdateChannel(channel.bare_id)
        self._update_push.push(account, update, {channel.id}, origin=origin)

    def _put(
        self, channel: Channel, author: Account, draft: Draft, origin: Session | None
    ) -> Posted:
        content = content_of(author, draft)
        content.is_post = channel.broadcast
        message = channel.box.add(
            channel.id, channel.id, content, out=False, random_id=draft.random_id
        )
        # An author has read everything before the new message.
        channel.read[author.id] = message.id
        event = NewMessage(message.id)
        return Posted(message, self._update_push.record_in(channel, event, origin=origin))


def _may_write(channel: Channel, account: Account) -> bool:
    return account.id in channel.members and (
        not channel.broadcast or account.id == channel.creator_id
    )


def _own_message(channel: Channel, author: Account, message_id: int) -> Message:
    message = channel.box.get(message_id)
    if message is None:
        raise RpcError("MESSAGE_ID_INVALID")
    if message.content.sender_id != author.id:
        raise RpcError("MESSAGE_AUTHOR_REQUIRED")
    return message
