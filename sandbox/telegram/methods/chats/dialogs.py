"""The list of an account's chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_channel, find_correspondent
from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.chats import Channel
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.records.mailbox import Message
    from sandbox.telegram.rpc import Call

LONGEST_PAGE = 100  # dialogs
_NOTHING_ELSE_UNREAD = {
    "unread_mentions_count": 0,
    "unread_reactions_count": 0,
    "unread_poll_votes_count": 0,
}


@method(functions.messages.GetDialogsRequest)
def get_dialogs(call: Call, request: Any) -> Any:
    tops = _tops(call)
    later = tops[_start(call, tops, request) :]
    found = later[: min(request.limit or LONGEST_PAGE, LONGEST_PAGE)]
    dialogs = [dialog(call, m.peer) for m in found]
    messages = [tl_views.message(call.account, m) for m in found]
    extras = _named(call, set().union(*map(tl_views.peers_of, found)))
    if len(found) < len(tops):
        return types.messages.DialogsSlice(len(tops), dialogs, messages, *extras)
    return types.messages.Dialogs(dialogs, messages, *extras)


@method(functions.messages.GetPeerDialogsRequest)
def get_peer_dialogs(call: Call, request: Any) -> Any:
    peers = [
        _peer(call, named.peer)
        for named in request.peers
        if isinstance(named, types.InputDialogPeer)
    ]
    if not peers:
        raise RpcError("PEER_ID_INVALID")
    tops = [top for peer in peers if (top := _top(call, peer))]
    return types.messages.PeerDialogs(
        [dialog(call, peer) for peer in peers],
        [tl_views.message(call.account, m) for m in tops],
        *_named(call, {*peers, *set().union(*map(tl_views.peers_of, tops))}),
        tl_views.state(call.account),
    )


@method(functions.messages.GetPinnedDialogsRequest)
def get_pinned_dialogs(call: Call, _request: Any) -> Any:
    return types.messages.PeerDialogs([], [], [], [], tl_views.state(call.account))


def _peer(call: Call, named: Any) -> int:
    accounts = call.services.accounts
    is_channel = isinstance(named, types.InputPeerChannel)
    find = find_channel if is_channel else find_correspondent
    return find(accounts, call.viewer, named).id


def _tops(call: Call) -> list[Message]:
    """Return the newest message of each chat, the newest chat first."""
    channels = call.services.accounts.channels_of(call.account)
    peers = [*call.account.box.conversations, *(channel.id for channel in channels)]
    tops = [_top(call, peer) for peer in peers]
    return sorted((m for m in tops if m), key=_place, reverse=True)


def _place(top: Message) -> tuple[int, int, int]:
    # The ids of different channels cannot be compared.
    return int(top.content.date.timestamp()), top.id, top.peer


def _start(call: Call, tops: list[Message], request: Any) -> int:
    """Count the chats that earlier pages have shown."""
    date = request.offset_date
    if date is None or not date.timestamp():
        return 0
    is_nowhere = isinstance(request.offset_peer, types.InputPeerEmpty)
    peer = 0 if is_nowhere else _peer(call, request.offset_peer)
    offset = int(date.timestamp()), request.offset_id, peer
    return sum(_place(top) >= offset for top in tops)


def _top(call: Call, peer: int) -> Message | None:
    channel = call.services.accounts.chats.get(peer)
    if isinstance(channel, Channel):
        return channel.box.get(channel.conversation.top)
    return call.account.box.get(call.account.box.conversation(peer).top)


def dialog(call: Call, peer: int) -> Any:
    """Show the state of a chat."""
    channel = call.services.accounts.chats.get(peer)
    if isinstance(channel, Channel):
        return _channel_dialog(channel, call.account.id)
    chat = call.account.box.conversation(peer)
    return types.Dialog(
        tl_views.peer_of(peer),
        top_message=chat.top,
        read_inbox_max_id=chat.read_inbox,
        read_outbox_max_id=chat.read_outbox,
        unread_count=chat.unread,
        notify_settings=types.PeerNotifySettings(),
        **_NOTHING_ELSE_UNREAD,
    )


def _channel_dialog(channel: Channel, viewer_id: int) -> Any:
    return types.Dialog(
        tl_views.peer_of(channel.id),
        top_message=channel.conversation.top,
        read_inbox_max_id=channel.read.get(viewer_id, 0),
        read_outbox_max_id=0,
        unread_count=channel.unread_by(viewer_id),
        notify_settings=types.PeerNotifySettings(),
        pts=channel.log.pts,
        **_NOTHING_ELSE_UNREAD,
    )


def _named(call: Call, peers: set[int]) -> tuple[list[Any], list[Any]]:
    viewer, accounts = call.viewer, call.services.accounts
    return tl_views.chats(viewer, accounts, peers), tl_views.users(viewer, accounts, peers)
