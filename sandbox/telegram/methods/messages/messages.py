"""Text messages: sending, deleting, reading, typing and looking up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.accounts import Account
from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.buttons import checked_markup
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.chats.peer_lookup import find_channel, find_correspondent, find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Kind
from sandbox.telegram.records.chats import Channel, Group
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.records.mailbox import Content, Mailbox, Message
    from sandbox.telegram.rpc import Call

LONGEST_TEXT = 4096


@method(functions.messages.SendMessageRequest)
def send_message(call: Call, request: Any) -> Any:
    recipient = recipient_of(call, request.peer)
    box = recipient.box if isinstance(recipient, Channel) else call.account.box
    if earlier := sent_before(call, request.random_id, box):
        return sent(call, earlier)
    draft = Draft(
        text=checked_text(request.message),
        entities=tuple(request.entities or ()),
        reply_to=replied(call, request.reply_to, box),
        topic=topic_of(recipient, request.reply_to),
        reply_markup=checked_markup(
            call.account, request.reply_markup, is_private=isinstance(recipient, Account)
        ),
        silent=bool(request.silent),
        random_id=request.random_id,
    )
    posted = post(call, recipient, draft)
    if not isinstance(recipient, Account):
        return updates_with(call, posted)
    return types.UpdateShortSentMessage(
        posted.message.id,
        posted.entry.pts,
        posted.entry.steps,
        posted.message.content.date,
        out=True,
        entities=request.entities,
    )


@method(functions.messages.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    count = call.services.message_actions.delete(
        call.account, request.id, for_all=bool(request.revoke), origin=call.session
    )
    return types.messages.AffectedMessages(call.account.log.pts, count)


@method(functions.messages.ReadHistoryRequest)
def read_history(call: Call, request: Any) -> Any:
    chat = peer(call, request.peer)
    changed = call.services.message_actions.read(
        call.account, chat, request.max_id, origin=call.session
    )
    return types.messages.AffectedMessages(call.account.log.pts, int(changed))


@method(functions.messages.SetTypingRequest)
def set_typing(call: Call, request: Any) -> bool:
    other = find_user(call.services.accounts, call.viewer, request.peer)
    if other is not call.account:
        update = types.UpdateUserTyping(call.account.id, request.action)
        call.services.update_push.push(other, update, lasting=False)
    return True


@method(functions.messages.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    ids = [_id_of(call, wanted) for wanted in request.id]
    found = [call.account.box.get(message_id) for message_id in ids]
    return messages_with_users(call, found, ids)


def _id_of(call: Call, wanted: Any) -> int:
    """Return the id of a message that a client names, directly or by the reply to it."""
    message_id: int = getattr(wanted, "id", 0)
    if not isinstance(wanted, types.InputMessageReplyTo):
        return message_id
    reply = call.account.box.get(message_id)
    replied_to = reply.content.reply_to if reply else None
    return replied_to.copies.get(call.account.id, 0) if replied_to else 0


def peer(call: Call, named: Any) -> Account | Group:
    """Return the account on the other side of a private chat, or a group."""
    return find_correspondent(call.services.accounts, call.viewer, named)


def recipient_of(call: Call, named: Any) -> Account | Group | Channel:
    if isinstance(named, types.InputPeerChannel):
        return find_channel(call.services.accounts, call.viewer, named)
    return peer(call, named)


def post(call: Call, recipient: Account | Group | Channel, draft: Draft) -> Posted:
    services = call.services
    if isinstance(recipient, Channel):
        return services.channels.post(recipient, call.account, draft, origin=call.session)
    return services.message_actions.send(call.account, recipient, draft, origin=call.session)


def topic_of(recipient: Account | Group | Channel, reply_to: Any) -> int | None:
    """Return the topic of a forum that a message is written into."""
    if not isinstance(recipient, Channel) or not recipient.topics:
        return None
    top_id: int = getattr(reply_to, "top_msg_id", None) or 0
    named: int = top_id or getattr(reply_to, "reply_to_msg_id", 0)
    if named in recipient.topics:
        return named
    message = recipient.box.get(named)
    return message.content.topic if message else None


def checked_text(text: str | None) -> str:
    if not text or not text.strip():
        raise RpcError("MESSAGE_EMPTY")
    if len(text) > LONGEST_TEXT:
        raise RpcError("MESSAGE_TOO_LONG")
    return text


def replied(call: Call, reply_to: Any, box: Mailbox | None = None) -> Content | None:
    """Return the message that is replied to, if it is in the mailbox (by default the sender's)."""
    box = call.account.box if box is None else box
    message = box.get(getattr(reply_to, "reply_to_msg_id", 0))
    return message.content if message else None


def sent_before(call: Call, random_id: int, box: Mailbox | None = None) -> Message | None:
    """Return the message that an earlier, equal request has sent."""
    box = call.account.box if box is None else box
    message_id = box.sent_with(random_id)
    if message_id is None:
        return None
    services = call.services
    message = box.get(message_id)
    strict = services.faults.holds(Kind.STRICT_RANDOM_ID, call.account.phone, services.time())
    if strict or message is None:
        raise RpcError("RANDOM_ID_DUPLICATE")
    return message


def sent(call: Call, message: Message) -> Any:
    """Answer with a message that was sent earlier; its pts was reported then."""
    account, channel = call.account, channel_of(call, message)
    new = types.UpdateNewChannelMessage if channel else types.UpdateNewMessage
    shown = [
        types.UpdateMessageID(message.id, message.random_id),
        new(tl_views.message(account, message), (channel or account).log.pts, 0),
    ]
    return tl_views.updates(call.viewer, call.services.accounts, shown, tl_views.peers_of(message))


def updates_with(call: Call, *posted: Posted) -> Any:
    """Answer with the updates of this request, preceded by the random_id of each new message."""
    account = call.account
    ids = [p.message for p in posted if p.message.random_id is not None]
    shown: list[Any] = [types.UpdateMessageID(m.id, m.random_id) for m in ids]
    shown += [tl_views.update(account, p.entry, channel_of(call, p.message)) for p in posted]
    named = set().union(*(tl_views.peers_of(p.message) for p in posted))
    return tl_views.updates(call.viewer, call.services.accounts, shown, named)


def channel_of(call: Call, message: Message) -> Channel | None:
    chat = call.services.accounts.chats.get(message.peer)
    return chat if isinstance(chat, Channel) else None


def messages_with_users(call: Call, found: list[Message | None], ids: list[int]) -> Any:
    """Answer with messages; an empty one stands for each that does not exist."""
    account, accounts = call.account, call.services.accounts
    shown = [
        tl_views.message(account, message) if message else types.MessageEmpty(message_id, None)
        for message, message_id in zip(found, ids, strict=True)
    ]
    named = set().union(*(tl_views.peers_of(message) for message in found if message))
    chats, users = (
        tl_views.chats(call.viewer, accounts, named),
        tl_views.users(call.viewer, accounts, named),
    )
    return types.messages.Messages(shown, [], chats, users)
