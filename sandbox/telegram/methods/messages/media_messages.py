"""Messages with media, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.accounts import Account
from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.buttons import checked_markup
from sandbox.telegram.chats.message_actions import Draft, Posted
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files import media
from sandbox.telegram.methods.files.input_media import make_media
from sandbox.telegram.methods.messages.messages import (
    channel_of,
    post,
    recipient_of,
    replied,
    sent_before,
    topic_of,
)
from sandbox.telegram.records.chats import Channel
from sandbox.telegram.records.event_log import OtherEvent
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.records.mailbox import Message
    from sandbox.telegram.rpc import Call

LONGEST_CAPTION = 1024


@method(functions.messages.SendMediaRequest)
def send_media(call: Call, request: Any) -> Any:
    recipient = recipient_of(call, request.peer)
    box = recipient.box if isinstance(recipient, Channel) else call.account.box
    if earlier := sent_before(call, request.random_id, box):
        return outcome(call, [earlier])
    draft = Draft(
        text=checked_caption(request.message),
        entities=tuple(request.entities or ()),
        media=make_media(call, request.media),
        reply_to=replied(call, request.reply_to, box),
        topic=topic_of(recipient, request.reply_to),
        reply_markup=checked_markup(
            call.account, request.reply_markup, is_private=isinstance(recipient, Account)
        ),
        silent=bool(request.silent),
        random_id=request.random_id,
    )
    return outcome(call, [post(call, recipient, draft)])


@method(functions.messages.UploadMediaRequest)
def upload_media(call: Call, request: Any) -> Any:
    """Upload media without sending it, as albums require."""
    recipient_of(call, request.peer)
    return media.shown(call.account, make_media(call, request.media))


@method(functions.messages.ReadMessageContentsRequest)
def read_message_contents(call: Call, request: Any) -> Any:
    """Record that voice messages were played, and push that to both sides."""
    account = call.account
    found = [message for i in dict.fromkeys(request.id) if (message := account.box.get(i))]
    played = [m for m in found if not m.out and tl_views.is_unplayed(m)]
    for message in played:
        message.content.was_played = True
        call.services.update_push.record(account, _read([message.id]), origin=call.session)
        _show_played_to_sender(call, message)
    return types.messages.AffectedMessages(account.log.pts, len(played))


def _show_played_to_sender(call: Call, message: Message) -> None:
    sender: Account | None = call.services.accounts.get(message.content.sender_id)
    copy_id = message.content.copies.get(sender.id) if sender else None
    if sender and copy_id:
        call.services.update_push.record(sender, _read([copy_id]))


def _read(message_ids: list[int]) -> OtherEvent:
    return OtherEvent(types.UpdateReadMessagesContents(message_ids, 0, 0))


def checked_caption(text: str) -> str:
    if len(text) > LONGEST_CAPTION:
        raise RpcError("MEDIA_CAPTION_TOO_LONG")
    return text


def outcome(call: Call, done: list[Posted | Message]) -> Any:
    """Answer with messages that were sent now or by an earlier, equal request."""
    messages = [each.message if isinstance(each, Posted) else each for each in done]
    shown: list[Any] = [types.UpdateMessageID(m.id, m.random_id) for m in messages]
    shown += [_shown(call, each) for each in done]
    users = set().union(*(tl_views.peers_of(message) for message in messages))
    return tl_views.updates(call.viewer, call.services.accounts, shown, users)


def _shown(call: Call, each: Posted | Message) -> Any:
    account = call.account
    if isinstance(each, Posted):
        return tl_views.update(account, each.entry, channel_of(call, each.message))
    channel = channel_of(call, each)
    new = types.UpdateNewChannelMessage if channel else types.UpdateNewMessage
    # Its pts was reported when it was sent.
    return new(tl_views.message(account, each), (channel or account).log.pts, 0)
