"""The profile of an account, and who may see it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.rpc import Call

_USERNAME = re.compile(r"[A-Za-z]\w{3,31}", re.ASCII)
_LONGEST_ABOUT = 70  # characters, without Premium
_PHONE_KEYS = (types.InputPrivacyKeyPhoneNumber, types.InputPrivacyKeyAddedByPhone)


@method(functions.account.UpdateUsernameRequest)
def update_username(call: Call, request: Any) -> Any:
    if request.username and not _USERNAME.fullmatch(request.username):
        raise RpcError("USERNAME_INVALID")
    if request.username == (call.account.username or ""):
        raise RpcError("USERNAME_NOT_MODIFIED")
    call.services.accounts.rename(call.account, request.username or None)
    return tl_views.user(call.viewer, call.account)


@method(functions.account.CheckUsernameRequest)
def check_username(call: Call, request: Any) -> bool:
    if not _USERNAME.fullmatch(request.username):
        raise RpcError("USERNAME_INVALID")
    return call.services.accounts.find_by_username(request.username) is None


@method(functions.account.UpdateProfileRequest)
def update_profile(call: Call, request: Any) -> Any:
    account = call.account
    if request.first_name == "":
        raise RpcError("FIRSTNAME_INVALID")
    if len(request.about or "") > _LONGEST_ABOUT:
        raise RpcError("ABOUT_TOO_LONG")
    account.first_name = request.first_name or account.first_name
    account.last_name = account.last_name if request.last_name is None else request.last_name
    account.about = account.about if request.about is None else request.about
    return tl_views.user(call.viewer, account)


@method(functions.account.SetPrivacyRequest)
def set_privacy(call: Call, request: Any) -> Any:
    allowed = any(isinstance(rule, types.InputPrivacyValueAllowAll) for rule in request.rules)
    if isinstance(request.key, _PHONE_KEYS):
        call.account.phone_visible = allowed
    elif isinstance(request.key, types.InputPrivacyKeyForwards):
        call.account.hides_in_forwards = not allowed
    elif isinstance(request.key, types.InputPrivacyKeyAbout):
        call.account.about_visible = allowed
    return get_privacy(call, request)


@method(functions.account.GetPrivacyRequest)
def get_privacy(call: Call, request: Any) -> Any:
    account = call.account
    match request.key:
        case types.InputPrivacyKeyForwards():
            allowed = not account.hides_in_forwards
        case types.InputPrivacyKeyAbout():
            allowed = account.about_visible
        case _:
            allowed = account.phone_visible
    rule = types.PrivacyValueAllowAll() if allowed else types.PrivacyValueDisallowAll()
    return types.account.PrivacyRules([rule], [], [])


@method(functions.account.UpdateStatusRequest)
def update_status(_call: Call, _request: Any) -> bool:
    return True
