"""The messages of a channel, and the channel's events while a client was away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_channel
from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.chats.dialogs import dialog
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.records.chats import Channel
    from sandbox.telegram.records.event_log import Entry
    from sandbox.telegram.rpc import Call

SLICE = 100  # events
LATEST = 10  # messages that are sent to a client that is too far behind


@method(functions.channels.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    channel, account = _channel(call, request), call.account
    ids = [getattr(named, "id", 0) for named in request.id]
    found = {message_id: channel.box.get(message_id) for message_id in ids}
    shown = [
        tl_views.message(account, message) if message else types.MessageEmpty(message_id, None)
        for message_id, message in found.items()
    ]
    named = {channel.id}.union(*(tl_views.peers_of(m) for m in found.values() if m))
    pts, count = channel.log.pts, len(shown)
    return types.messages.ChannelMessages(pts, count, shown, [], *_peers(call, named))


@method(functions.channels.ReadHistoryRequest)
def read_history(call: Call, request: Any) -> bool:
    channel = _channel(call, request)
    channels = call.services.channels
    return channels.read(channel, call.account, request.max_id, origin=call.session)


@method(functions.channels.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    channel = _channel(call, request)
    count = call.services.channels.delete(channel, call.account, request.id, origin=call.session)
    return types.messages.AffectedMessages(channel.log.pts, count)


@method(functions.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    channel = _channel(call, request)
    if request.pts < 1:
        raise RpcError("PERSISTENT_TIMESTAMP_EMPTY")
    if channel.log.is_forgotten(request.pts):
        return _too_long(call, channel)
    entries = channel.log.since(request.pts)
    if not entries:
        return types.updates.ChannelDifferenceEmpty(channel.log.pts, final=True)
    size = min(max(request.limit, 1), SLICE)
    return _difference(call, channel, entries[:size], final=len(entries) <= size)


def _difference(call: Call, channel: Channel, entries: list[Entry], *, final: bool) -> Any:
    account = call.account
    shown = [update for entry in entries if (update := tl_views.update(account, entry, channel))]
    messages = [u.message for u in shown if isinstance(u, types.UpdateNewChannelMessage)]
    others = [u for u in shown if not isinstance(u, types.UpdateNewChannelMessage)]
    named = {channel.id}.union(*(tl_views.peers_in(account, entry, channel) for entry in entries))
    return types.updates.ChannelDifference(
        entries[-1].pts, messages, others, *_peers(call, named), final=final
    )


def _too_long(call: Call, channel: Channel) -> Any:
    """Answer with only the channel's state and its latest messages."""
    latest = [m for i in channel.conversation.ids[-LATEST:] if (m := channel.box.get(i))]
    named = {channel.id}.union(*map(tl_views.peers_of, latest))
    return types.updates.ChannelDifferenceTooLong(
        dialog(call, channel.id),
        [tl_views.message(call.account, message) for message in reversed(latest)],
        *_peers(call, named),
        final=True,
    )


def _channel(call: Call, request: Any) -> Channel:
    return find_channel(call.services.accounts, call.viewer, request.channel)


def _peers(call: Call, named: set[int]) -> tuple[list[Any], list[Any]]:
    viewer, accounts = call.viewer, call.services.accounts
    return tl_views.chats(viewer, accounts, named), tl_views.users(viewer, accounts, named)
