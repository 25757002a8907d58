"""Edits of texts, captions, media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.peer_lookup import find_channel
from sandbox.telegram.files.input_media import take_media
from sandbox.telegram.methods.media_messages import checked_caption
from sandbox.telegram.methods.messages import checked_text, peer, updates_with
from sandbox.telegram.protocol.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.protocol.rpc import Call


@method(functions.messages.EditMessageRequest)
def edit_message(call: Call, request: Any) -> Any:
    """Change what the request names; a text or the media that it leaves out stay."""
    if isinstance(request.peer, types.InputPeerChannel):
        return _edit_post(call, request)
    peer(call, request.peer)
    office = call.data_centre.post_office
    content = office.own_message(call.account, request.id).content
    media = take_media(call, request.media) if request.media else None
    if request.message is None:
        text, entities = content.text, tuple(content.entities)
    else:
        text, entities = request.message, tuple(request.entities or ())
    check = checked_caption if media or content.media else checked_text
    posted = office.edit(
        call.account, request.id, check(text), entities, media=media, origin=call.session
    )
    return updates_with(call, posted)


def _edit_post(call: Call, request: Any) -> Any:
    """Change the text of a channel's message."""
    channel = find_channel(call.data_centre.accounts, call.viewer, request.peer)
    text, entities = checked_text(request.message), tuple(request.entities or ())
    posted = call.data_centre.channels.edit(
        channel, call.account, request.id, text, entities, origin=call.session
    )
    return updates_with(call, posted)
