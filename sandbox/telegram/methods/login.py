"""Logging in by code, signing up, logging in as a bot, logging out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.accounts import bare_phone
from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Kind
from sandbox.telegram.protocol.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.protocol.rpc import Call

_SHORTEST_PHONE = 5
_RESEND_AFTER = 60  # seconds


def admit(call: Call, account: Account) -> Any:
    """Log a client's key in to an account."""
    call.data_centre.keys.sign_in(call.key, account)
    account.logins += 1
    return types.auth.Authorization(tl_views.user(call.viewer, account))


def admit_or_ask_password(call: Call, account: Account) -> Any:
    """Log in, unless the account has a password that is still owed."""
    if account.password is None:
        return admit(call, account)
    call.key.pending = account
    raise RpcError("SESSION_PASSWORD_NEEDED")


@method(functions.auth.SendCodeRequest, anonymous=True)
def send_code(call: Call, request: Any) -> Any:
    return _send_code(call, request.phone_number)


@method(functions.auth.ResendCodeRequest, anonymous=True)
def resend_code(call: Call, request: Any) -> Any:
    call.data_centre.logins.find_code(request.phone_number, request.phone_code_hash)
    call.data_centre.logins.forget_code(request.phone_code_hash)
    return _send_code(call, request.phone_number)


@method(functions.auth.CancelCodeRequest, anonymous=True)
def cancel_code(call: Call, request: Any) -> bool:
    call.data_centre.logins.find_code(request.phone_number, request.phone_code_hash)
    call.data_centre.logins.forget_code(request.phone_code_hash)
    return True


@method(functions.auth.SignInRequest, anonymous=True)
def sign_in(call: Call, request: Any) -> Any:
    centre, phone, code_hash = call.data_centre, request.phone_number, request.phone_code_hash
    if not request.phone_code:
        raise RpcError("PHONE_CODE_EMPTY")
    centre.logins.check_code(phone, code_hash, request.phone_code)
    account = centre.accounts.find_by_phone(phone)
    if account is None:
        return types.auth.AuthorizationSignUpRequired()
    _refuse_banned(centre, account.phone)
    centre.logins.forget_code(code_hash)
    return admit_or_ask_password(call, account)


@method(functions.auth.SignUpRequest, anonymous=True)
def sign_up(call: Call, request: Any) -> Any:
    centre = call.data_centre
    if not centre.logins.find_code(request.phone_number, request.phone_code_hash).is_proven:
        raise RpcError("PHONE_CODE_INVALID")
    if not request.first_name.strip():
        raise RpcError("FIRSTNAME_INVALID")
    account = centre.accounts.add(request.phone_number, request.first_name, request.last_name)
    centre.logins.forget_code(request.phone_code_hash)
    return admit(call, account)


@method(functions.auth.ImportBotAuthorizationRequest, anonymous=True)
def import_bot_authorization(call: Call, request: Any) -> Any:
    user_id, _, _ = request.bot_auth_token.partition(":")
    bot = call.data_centre.accounts.get(int(user_id)) if user_id.isdecimal() else None
    if bot is None or not bot.bot or bot.bot_token != request.bot_auth_token:
        raise RpcError("ACCESS_TOKEN_INVALID")
    return admit(call, bot)


@method(functions.auth.LogOutRequest, anonymous=True)
def log_out(call: Call, _request: Any) -> Any:
    call.keys.sign_out(call.key)
    return types.auth.LoggedOut()


def _send_code(call: Call, phone: str) -> Any:
    centre, bare = call.data_centre, bare_phone(phone)
    if not bare.isdecimal() or len(bare) < _SHORTEST_PHONE:
        raise RpcError("PHONE_NUMBER_INVALID")
    _refuse_banned(centre, bare)
    account = centre.accounts.find_by_phone(bare)
    if account and account.bot:
        raise RpcError("PHONE_NUMBER_INVALID")
    code = account.code if account else f"{secrets.randbelow(10**5):05}"
    code_hash = centre.logins.send_code(bare, code)
    centre.announce_code(code)
    if account and centre.keys.of_account(account):
        _tell_owner(centre, account, code)
    return types.auth.SentCode(
        types.auth.SentCodeTypeApp(len(code)), code_hash, timeout=_RESEND_AFTER
    )


def _tell_owner(centre: DataCentre, account: Account, code: str) -> None:
    text = f"Login code: {code}. Do not give this code to anyone, even if they say they are from Telegram!"
    centre.post_office.send(centre.accounts.service, account, Draft(text))


def _refuse_banned(centre: DataCentre, phone: str) -> None:
    if centre.faults.holds(Kind.BAN, phone, centre.time()):
        raise RpcError("PHONE_NUMBER_BANNED")
