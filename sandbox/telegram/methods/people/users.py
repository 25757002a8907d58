"""Looking up users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.bot_actions import menu_button
from sandbox.telegram.chats.peer_lookup import find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.rpc import Call


@method(functions.users.GetUsersRequest)
def get_users(call: Call, request: Any) -> list[Any]:
    return [_user_or_empty(call, user) for user in request.id]


@method(functions.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    subject = find_user(call.services.accounts, call.viewer, request.id)
    full = types.UserFull(
        subject.id,
        types.PeerSettings(),
        types.PeerNotifySettings(),
        common_chats_count=0,
        blocked=subject.id in call.account.blocked or None,
        about=tl_views.about(call.account, subject),
        bot_info=_bot_info(subject, call.account.id),
    )
    return types.users.UserFull(full, [], [tl_views.user(call.viewer, subject)])


def _bot_info(subject: Account, viewer_id: int) -> Any:
    if subject.bot_profile is None:
        return None
    commands = subject.bot_profile.commands.get((bytes(types.BotCommandScopeDefault()), ""), [])
    button = menu_button(subject, viewer_id)
    return types.BotInfo(user_id=subject.id, commands=commands, menu_button=button)


def _user_or_empty(call: Call, user: Any) -> Any:
    """Show a user, or an empty user for a wrong access hash, as Telegram does."""
    try:
        return tl_views.user(call.viewer, find_user(call.services.accounts, call.viewer, user))
    except RpcError:
        return types.UserEmpty(getattr(user, "user_id", 0))
