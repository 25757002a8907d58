"""Basic groups and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.peer_lookup import find_group, find_user
from sandbox.telegram.methods.messages.messages import updates_with
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.records.chats import Group, Member
    from sandbox.telegram.rpc import Call


@method(functions.messages.CreateChatRequest)
def create_chat(call: Call, request: Any) -> Any:
    accounts, account = call.services.accounts, call.account
    people = [find_user(accounts, call.viewer, user) for user in request.users]
    _, posted = call.services.groups.create(account, request.title, people, origin=call.session)
    return types.messages.InvitedUsers(updates_with(call, posted), [])


@method(functions.messages.AddChatUserRequest)
def add_chat_user(call: Call, request: Any) -> Any:
    group = find_group(call.services.accounts, call.viewer, request.chat_id)
    newcomer = find_user(call.services.accounts, call.viewer, request.user_id)
    posted = call.services.groups.add(group, call.account, newcomer, origin=call.session)
    return types.messages.InvitedUsers(updates_with(call, posted), [])


@method(functions.messages.DeleteChatUserRequest)
def delete_chat_user(call: Call, request: Any) -> Any:
    group = find_group(call.services.accounts, call.viewer, request.chat_id)
    leaver = find_user(call.services.accounts, call.viewer, request.user_id)
    posted = call.services.groups.remove(group, call.account, leaver, origin=call.session)
    return updates_with(call, posted)


@method(functions.messages.GetChatsRequest)
def get_chats(call: Call, request: Any) -> Any:
    viewer, accounts = call.viewer, call.services.accounts
    found = [find_group(accounts, viewer, chat_id) for chat_id in request.id]
    return types.messages.Chats([tl_views.chat(viewer, group) for group in found])


@method(functions.messages.GetFullChatRequest)
def get_full_chat(call: Call, request: Any) -> Any:
    accounts, account = call.services.accounts, call.account
    group = find_group(accounts, call.viewer, request.chat_id)
    full = types.ChatFull(
        group.bare_id,
        about="",
        participants=_participants(group, account.id),
        notify_settings=types.PeerNotifySettings(),
    )
    users = tl_views.users(call.viewer, accounts, group.members)
    return types.messages.ChatFull(full, [tl_views.chat(call.viewer, group)], users)


def _participants(group: Group, viewer_id: int) -> Any:
    """List the members, for members only."""
    if viewer_id not in group.members:
        return types.ChatParticipantsForbidden(group.bare_id)
    members = [_participant(group, *item) for item in group.members.items()]
    return types.ChatParticipants(group.bare_id, members, version=1)


def _participant(group: Group, account_id: int, member: Member) -> Any:
    if account_id == group.creator_id:
        return types.ChatParticipantCreator(account_id)
    return types.ChatParticipant(account_id, member.inviter_id, member.joined)
