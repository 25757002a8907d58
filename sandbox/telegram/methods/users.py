"""Who somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.peer_lookup import find_user
from sandbox.telegram.chats import tl_views
from sandbox.telegram.errors import RpcError
from sandbox.telegram.protocol.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.protocol.rpc import Call


@method(functions.users.GetUsersRequest)
def get_users(call: Call, request: Any) -> list[Any]:
    return [_user_or_empty(call, user) for user in request.id]


@method(functions.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    subject = find_user(call.data_centre.accounts, call.viewer, request.id)
    full = types.UserFull(
        subject.id,
        types.PeerSettings(),
        types.PeerNotifySettings(),
        common_chats_count=0,
        blocked=subject.id in call.account.blocked or None,
        about=tl_views.about(call.account, subject),
    )
    return types.users.UserFull(full, [], [tl_views.user(call.viewer, subject)])


def _user_or_empty(call: Call, user: Any) -> Any:
    """Show a user; whoever is named with a wrong access hash is empty, as at Telegram."""
    try:
        return tl_views.user(call.viewer, find_user(call.data_centre.accounts, call.viewer, user))
    except RpcError:
        return types.UserEmpty(getattr(user, "user_id", 0))
