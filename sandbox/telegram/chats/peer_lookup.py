"""Finds the records for the peers that clients name, and checks that the client may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.errors import RpcError
from sandbox.telegram.records.chats import CHANNEL_OFFSET, Channel, Group

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account, Accounts
    from sandbox.telegram.accounts.viewer import Viewer

_WITH_HASH = (types.InputPeerUser, types.InputUser)
_SELF = (types.InputPeerSelf, types.InputUserSelf)
_CHANNEL = (types.InputPeerChannel, types.InputChannel)
_FROM_MESSAGE = (types.InputPeerUserFromMessage, types.InputUserFromMessage)


def find_correspondent(accounts: Accounts, viewer: Viewer, peer: Any) -> Account | Group:
    """Return the user or group that an InputPeer names; channels have rules of their own."""
    if isinstance(peer, types.InputPeerChat):
        return find_group(accounts, viewer, peer.chat_id)
    return find_user(accounts, viewer, peer)


def find_group(accounts: Accounts, viewer: Viewer, chat_id: int) -> Group:
    """Return a basic group, which only present and former members may address."""
    group = accounts.chats.get(-chat_id)
    if isinstance(group, Group) and (
        viewer.id in group.members or group.id in viewer.account.box.conversations
    ):
        return group
    raise RpcError("CHAT_ID_INVALID")


def find_channel(accounts: Accounts, viewer: Viewer, peer: Any) -> Channel:
    """Return the channel that an InputPeer or InputChannel names, if it is open to the viewer."""
    channel = None
    if isinstance(peer, _CHANNEL):
        channel = accounts.chats.get(-CHANNEL_OFFSET - peer.channel_id)
    if not isinstance(channel, Channel) or not _may_name(viewer, channel.id, peer):
        raise RpcError("CHANNEL_INVALID")
    if not channel.is_open_to(viewer.id):
        raise RpcError("CHANNEL_PRIVATE")
    return channel


def find_user(accounts: Accounts, viewer: Viewer, peer: Any) -> Account:
    """Return the account that an InputPeer or InputUser names; raise PEER_ID_INVALID."""
    if isinstance(peer, _SELF):
        return viewer.account
    subject = accounts.get(peer.user_id) if isinstance(peer, _WITH_HASH + _FROM_MESSAGE) else None
    if subject is None or not _may_address(viewer, subject, peer):
        raise RpcError("PEER_ID_INVALID")
    return subject


def _may_address(viewer: Viewer, subject: Account, peer: Any) -> bool:
    if isinstance(peer, _FROM_MESSAGE):
        message = viewer.account.box.get(peer.msg_id)
        return message is not None and subject.id in tl_views.peers_of(message)
    return subject is viewer.account or _may_name(viewer, subject.id, peer)


def _may_name(viewer: Viewer, subject_id: int, peer: Any) -> bool:
    """Return whether the access hash is right; a bot needs none for those that it has met."""
    profile = viewer.account.bot_profile
    if profile and peer.access_hash == 0:
        return subject_id < 0 or subject_id in profile.acquaintances
    return bool(peer.access_hash == viewer.access_hash(subject_id))
