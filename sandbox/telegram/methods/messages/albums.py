"""Albums: several media that belong together."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError
from sandbox.telegram.files.media import Document, Photo
from sandbox.telegram.methods.files.input_media import make_media
from sandbox.telegram.methods.messages.media_messages import checked_caption, outcome
from sandbox.telegram.methods.messages.messages import (
    post,
    recipient_of,
    replied,
    sent_before,
    topic_of,
)
from sandbox.telegram.records.chats import Channel
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.rpc import Call

LONGEST_ALBUM = 10
_UPLOADED = (types.InputMediaPhoto, types.InputMediaDocument)


@method(functions.messages.SendMultiMediaRequest)
def send_multi_media(call: Call, request: Any) -> Any:
    recipient = recipient_of(call, request.peer)
    box = recipient.box if isinstance(recipient, Channel) else call.account.box
    items = _checked_items(request.multi_media)
    earlier = [sent_before(call, item.random_id, box) for item in items]
    media = [
        before.content.media if before else make_media(call, item.media)
        for before, item in zip(earlier, items, strict=True)
    ]
    if len({_genre(each) for each in media}) > 1:
        raise RpcError("MEDIA_GROUPED_INVALID")
    known = (before.content.grouped_id for before in earlier if before)
    grouped_id = next(known, None) or make_group_id()
    done = [
        before
        or post(
            call,
            recipient,
            Draft(
                text=item.message,
                entities=tuple(item.entities or ()),
                media=each,
                reply_to=replied(call, request.reply_to, box),
                topic=topic_of(recipient, request.reply_to),
                grouped_id=grouped_id,
                silent=bool(request.silent),
                random_id=item.random_id,
            ),
        )
        for before, item, each in zip(earlier, items, media, strict=True)
    ]
    return outcome(call, done)


def make_group_id() -> int:
    return secrets.randbits(62)


def _checked_items(items: list[Any]) -> list[Any]:
    """Refuse what cannot be an album, before any of it is sent."""
    if not items:
        raise RpcError("MEDIA_EMPTY")
    if len(items) > LONGEST_ALBUM:
        raise RpcError("MULTI_MEDIA_TOO_LONG")
    if len({item.random_id for item in items}) < len(items):
        raise RpcError("RANDOM_ID_DUPLICATE")
    for item in items:
        checked_caption(item.message)
        if not isinstance(item.media, _UPLOADED):
            raise RpcError("MEDIA_INVALID")
    return items


def _genre(media: Any) -> str:
    """Return the kind of an item: an album consists of things to see, things to hear, or files."""
    if not isinstance(media, Photo | Document):
        # That random_id belongs to a message that is not part of an album.
        raise RpcError("RANDOM_ID_DUPLICATE")
    if isinstance(media, Photo) or media.is_video:
        return "seen"
    return "heard" if media.attribute(types.DocumentAttributeAudio) else "file"
