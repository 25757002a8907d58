"""Messages with media, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.event_log import OtherEvent
from sandbox.telegram.chats.message_actions import Draft, Posted
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files import media
from sandbox.telegram.files.input_media import take_media
from sandbox.telegram.methods.messages import peer, replied, sent_before
from sandbox.telegram.protocol.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.chats.chats import Group
    from sandbox.telegram.chats.mailbox import Message
    from sandbox.telegram.protocol.rpc import Call

LONGEST_CAPTION = 1024


@method(functions.messages.SendMediaRequest)
def send_media(call: Call, request: Any) -> Any:
    recipient = peer(call, request.peer)
    if earlier := sent_before(call, request.random_id):
        return outcome(call, [earlier])
    draft = Draft(
        text=checked_caption(request.message),
        entities=tuple(request.entities or ()),
        media=take_media(call, request.media),
        reply_to=replied(call, request.reply_to),
        silent=bool(request.silent),
        random_id=request.random_id,
    )
    return outcome(call, [send(call, recipient, draft)])


@method(functions.messages.UploadMediaRequest)
def upload_media(call: Call, request: Any) -> Any:
    """Make the media known without sending it, as albums need it."""
    peer(call, request.peer)
    return media.shown(call.account, take_media(call, request.media))


@method(functions.messages.ReadMessageContentsRequest)
def read_message_contents(call: Call, request: Any) -> Any:
    """Note that voice messages were listened to, which both sides learn."""
    account = call.account
    found = [message for i in dict.fromkeys(request.id) if (message := account.box.get(i))]
    played = [m for m in found if not m.out and tl_views.is_unplayed(m)]
    for message in played:
        message.content.was_played = True
        call.data_centre.courier.record(account, _read([message.id]), origin=call.session)
        _tell_sender(call, message)
    return types.messages.AffectedMessages(account.log.pts, len(played))


def _tell_sender(call: Call, message: Message) -> None:
    sender: Account | None = call.data_centre.accounts.get(message.content.sender_id)
    copy_id = message.content.copies.get(sender.id) if sender else None
    if sender and copy_id:
        call.data_centre.courier.record(sender, _read([copy_id]))


def _read(message_ids: list[int]) -> OtherEvent:
    return OtherEvent(types.UpdateReadMessagesContents(message_ids, 0, 0))


def send(call: Call, recipient: Account | Group, draft: Draft) -> Posted:
    return call.data_centre.post_office.send(call.account, recipient, draft, origin=call.session)


def checked_caption(text: str) -> str:
    if len(text) > LONGEST_CAPTION:
        raise RpcError("MEDIA_CAPTION_TOO_LONG")
    return text


def outcome(call: Call, done: list[Posted | Message]) -> Any:
    """Answer with messages sent now or, by an equal request, before."""
    account = call.account
    messages = [each.message if isinstance(each, Posted) else each for each in done]
    shown: list[Any] = [types.UpdateMessageID(m.id, m.random_id) for m in messages]
    shown += [_shown(account, each) for each in done]
    users = set().union(*(tl_views.peers_of(message) for message in messages))
    return tl_views.updates(call.viewer, call.data_centre.accounts, shown, users)


def _shown(account: Account, each: Posted | Message) -> Any:
    if isinstance(each, Posted):
        return tl_views.update(account, each.entry)
    # Its pts was told when it was sent.
    return types.UpdateNewMessage(tl_views.message(account, each), account.log.pts, 0)
