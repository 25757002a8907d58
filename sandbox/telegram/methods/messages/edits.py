"""Editing texts, captions and media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.buttons import checked_markup
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.chats.peer_lookup import find_channel
from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.files.input_media import make_media
from sandbox.telegram.methods.messages.media_messages import checked_caption
from sandbox.telegram.methods.messages.messages import checked_text, peer, updates_with
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.rpc import Call


@method(functions.messages.EditMessageRequest)
def edit_message(call: Call, request: Any) -> Any:
    """Change what the request names; a text or media that it leaves out stays the same."""
    if isinstance(request.peer, types.InputPeerChannel):
        return _edit_post(call, request)
    chat, actions = peer(call, request.peer), call.services.message_actions
    message = actions.own_message(call.account, request.id)
    if message.peer != chat.id:
        raise RpcError("MESSAGE_ID_INVALID")
    content = message.content
    media = make_media(call, request.media) if request.media else None
    if request.message is None:
        text, entities = content.text, tuple(content.entities)
    else:
        text, entities = request.message, tuple(request.entities or ())
    check = checked_caption if media or content.media else checked_text
    markup = checked_markup(call.account, request.reply_markup, is_private=message.peer > 0)
    draft = Draft(check(text), entities, media, reply_markup=markup)
    return updates_with(call, actions.edit(call.account, request.id, draft, origin=call.session))


def _edit_post(call: Call, request: Any) -> Any:
    """Change the text and the buttons of a channel's message."""
    channel = find_channel(call.services.accounts, call.viewer, request.peer)
    text, entities = request.message, tuple(request.entities or ())
    if text is None and (message := channel.box.get(request.id)):
        text, entities = message.content.text, tuple(message.content.entities)
    markup = checked_markup(call.account, request.reply_markup, is_private=False)
    draft = Draft(checked_text(text), entities, reply_markup=markup)
    edited = call.services.channels.edit(
        channel, call.account, request.id, draft, origin=call.session
    )
    return updates_with(call, edited)
