"""The commands and the menu button of a bot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats.bot_actions import menu_button
from sandbox.telegram.chats.peer_lookup import find_user
from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import BotProfile
    from sandbox.telegram.rpc import Call

MOST_COMMANDS = 100
LONGEST_DESCRIPTION = 256  # characters
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


@method(functions.bots.SetBotCommandsRequest)
def set_bot_commands(call: Call, request: Any) -> bool:
    if len(request.commands) > MOST_COMMANDS:
        raise RpcError("BOT_COMMANDS_TOO_MUCH")
    for command in request.commands:
        if not _COMMAND.fullmatch(command.command):
            raise RpcError("BOT_COMMAND_INVALID")
        if not 0 < len(command.description) <= LONGEST_DESCRIPTION:
            raise RpcError("BOT_COMMAND_DESCRIPTION_INVALID")
    _profile(call).commands[_key(request)] = list(request.commands)
    return True


@method(functions.bots.GetBotCommandsRequest)
def get_bot_commands(call: Call, request: Any) -> list[Any]:
    return _profile(call).commands.get(_key(request), [])


@method(functions.bots.ResetBotCommandsRequest)
def reset_bot_commands(call: Call, request: Any) -> bool:
    return _profile(call).commands.pop(_key(request), None) is not None


@method(functions.bots.SetBotMenuButtonRequest)
def set_bot_menu_button(call: Call, request: Any) -> bool:
    user_id = _user_id(call, request)
    if isinstance(request.button, types.BotMenuButtonDefault):
        _profile(call).menu_buttons.pop(user_id, None)
    else:
        _profile(call).menu_buttons[user_id] = request.button
    return True


@method(functions.bots.GetBotMenuButtonRequest)
def get_bot_menu_button(call: Call, request: Any) -> Any:
    return menu_button(call.account, _user_id(call, request))


def _profile(call: Call) -> BotProfile:
    assert call.account.bot_profile is not None  # the callers of these methods are checked
    return call.account.bot_profile


def _key(request: Any) -> tuple[bytes, str]:
    return bytes(request.scope), request.lang_code


def _user_id(call: Call, request: Any) -> int:
    """Return whose button it is; 0 stands for everybody."""
    if isinstance(request.user_id, types.InputUserEmpty):
        return 0
    return find_user(call.services.accounts, call.viewer, request.user_id).id
