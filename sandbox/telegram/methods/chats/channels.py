"""Channels and supergroups, and their members."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_channel, find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.messages.messages import updates_with
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.records.chats import Channel, Member
    from sandbox.telegram.rpc import Call

LONGEST_PAGE = 200  # members


@method(functions.channels.CreateChannelRequest)
def create_channel(call: Call, request: Any) -> Any:
    if bool(request.broadcast) == bool(request.megagroup):
        raise RpcError("CHANNELS_KIND_INVALID")
    _, posted = call.services.channels.create(
        call.account, request.title, broadcast=bool(request.broadcast), origin=call.session
    )
    return updates_with(call, posted)


@method(functions.channels.InviteToChannelRequest)
def invite_to_channel(call: Call, request: Any) -> Any:
    channel = _channel(call, request)
    people = [find_user(call.services.accounts, call.viewer, u) for u in request.users]
    posted = call.services.channels.invite(channel, call.account, people, origin=call.session)
    updates = updates_with(call, posted) if posted else _change(call, channel)
    return types.messages.InvitedUsers(updates, [])


@method(functions.channels.JoinChannelRequest)
def join_channel(call: Call, request: Any) -> Any:
    channel = _channel(call, request)
    call.services.channels.join(channel, call.account, origin=call.session)
    return types.messages.ChatInviteJoinResultOk(_change(call, channel))


@method(functions.channels.LeaveChannelRequest)
def leave_channel(call: Call, request: Any) -> Any:
    channel = _channel(call, request)
    call.services.channels.leave(channel, call.account, origin=call.session)
    return _change(call, channel)


@method(functions.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    viewer, accounts = call.viewer, call.services.accounts
    found = [find_channel(accounts, viewer, named) for named in request.id]
    return types.messages.Chats([tl_views.chat(viewer, channel) for channel in found])


@method(functions.channels.GetFullChannelRequest)
def get_full_channel(call: Call, request: Any) -> Any:
    channel, account = _channel(call, request), call.account
    full = types.ChannelFull(
        channel.bare_id,
        about="",
        read_inbox_max_id=channel.read.get(account.id, 0),
        read_outbox_max_id=0,
        unread_count=channel.unread_by(account.id),
        chat_photo=types.PhotoEmpty(0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=channel.log.pts,
        participants_count=len(channel.members),
    )
    return types.messages.ChatFull(full, [tl_views.chat(call.viewer, channel)], [])


@method(functions.channels.GetParticipantsRequest)
def get_participants(call: Call, request: Any) -> Any:
    """List the members in the order in which they joined; filters are ignored."""
    channel, account = _channel(call, request), call.account
    if channel.broadcast and account.id != channel.creator_id:
        raise RpcError("CHAT_ADMIN_REQUIRED")
    start = max(request.offset, 0)
    end = start + max(min(request.limit, LONGEST_PAGE), 0)
    page = list(islice(channel.members.items(), start, end))
    shown = [_participant(channel, account.id, *item) for item in page]
    users = tl_views.users(call.viewer, call.services.accounts, dict(page))
    return types.channels.ChannelParticipants(len(channel.members), shown, [], users)


def _channel(call: Call, request: Any) -> Channel:
    return find_channel(call.services.accounts, call.viewer, request.channel)


def _change(call: Call, channel: Channel) -> Any:
    """Answer that the account's membership in a channel has changed."""
    update = types.UpdateChannel(channel.bare_id)
    return tl_views.updates(call.viewer, call.services.accounts, [update], {channel.id})


def _participant(channel: Channel, viewer_id: int, account_id: int, member: Member) -> Any:
    if account_id == channel.creator_id:
        return types.ChannelParticipantCreator(account_id, types.ChatAdminRights())
    if account_id == viewer_id:
        return types.ChannelParticipantSelf(account_id, member.inviter_id, member.joined)
    return types.ChannelParticipant(account_id, member.joined)
