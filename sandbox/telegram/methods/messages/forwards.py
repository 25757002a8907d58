"""Forwarding messages from another chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.messages.albums import make_group_id
from sandbox.telegram.methods.messages.media_messages import outcome
from sandbox.telegram.methods.messages.messages import peer, post, replied, sent_before
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.chats.message_actions import Posted
    from sandbox.telegram.records.chats import Group
    from sandbox.telegram.records.mailbox import Content, Message
    from sandbox.telegram.rpc import Call

MOST_FORWARDED = 100


@method(functions.messages.ForwardMessagesRequest)
def forward_messages(call: Call, request: Any) -> Any:
    source, recipient = peer(call, request.from_peer), peer(call, request.to_peer)
    _check_ids(request.id, request.random_id)
    earlier = [sent_before(call, random_id) for random_id in request.random_id]
    originals = [_original(call, source, message_id) for message_id in request.id]
    if not any(originals) and not any(earlier):
        raise RpcError("MESSAGE_ID_INVALID")
    forwarding = _Forwarding(call, request)
    done: list[Posted | Message] = []
    for before, original, random_id in zip(earlier, originals, request.random_id, strict=True):
        if before:
            done.append(before)
        elif original:
            done.append(post(call, recipient, forwarding.draft(original.content, random_id)))
    return outcome(call, done)


class _Forwarding:
    """How the messages of one request are forwarded."""

    def __init__(self, call: Call, request: Any) -> None:
        self._call = call
        self._request = request
        # An album stays an album, with another id.
        self._groups: dict[int, int] = {}

    def draft(self, content: Content, random_id: int) -> Draft:
        request = self._request
        strips = bool(request.drop_media_captions) and content.media is not None
        return Draft(
            text="" if strips else content.text,
            entities=() if strips else tuple(content.entities),
            media=content.media,
            reply_to=replied(self._call, request.reply_to),
            forward=None if request.drop_author else self._header(content),
            grouped_id=self._group(content.grouped_id),
            silent=bool(request.silent),
            random_id=random_id,
        )

    def _header(self, content: Content) -> Any:
        """Name the original author, or only the author's name if the author hides the link."""
        if content.forward is not None:
            return content.forward
        author = self._call.services.accounts[content.sender_id]
        if author.hides_in_forwards:
            name = f"{author.first_name} {author.last_name}".strip()
            return types.MessageFwdHeader(content.date, from_name=name)
        return types.MessageFwdHeader(content.date, from_id=types.PeerUser(author.id))

    def _group(self, grouped_id: int | None) -> int | None:
        return grouped_id and self._groups.setdefault(grouped_id, make_group_id())


def _check_ids(message_ids: list[int], random_ids: list[int]) -> None:
    if not message_ids:
        raise RpcError("MESSAGE_IDS_EMPTY")
    if len(message_ids) > MOST_FORWARDED:
        raise RpcError("LIMIT_INVALID")
    if len(random_ids) != len(message_ids) or len(set(random_ids)) < len(random_ids):
        raise RpcError("RANDOM_ID_INVALID")


def _original(call: Call, source: Account | Group, message_id: int) -> Message | None:
    """Return a message of that chat that can be forwarded."""
    message = call.account.box.get(message_id)
    if message is None or message.peer != source.id or message.content.action is not None:
        return None
    return message
