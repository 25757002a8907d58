"""Logging in by code, signing up, logging in as a bot, and logging out."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.accounts import bare_phone
from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Kind
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.rpc import Call
    from sandbox.telegram.services import Services

_SHORTEST_PHONE = 5
_RESEND_AFTER = 60  # seconds


def admit(call: Call, account: Account) -> Any:
    """Log a client's key in to an account; from then on updates are pushed to it without a request."""
    call.services.keys.sign_in(call.key, account)
    account.logins += 1
    call.session.wants_updates = True
    return types.auth.Authorization(tl_views.user(call.viewer, account))


def admit_or_ask_password(call: Call, account: Account) -> Any:
    """Log in, unless the account has a password, which is then still required."""
    if account.password is None:
        return admit(call, account)
    call.key.pending = account
    raise RpcError("SESSION_PASSWORD_NEEDED")


@method(functions.auth.SendCodeRequest, anonymous=True)
def send_code(call: Call, request: Any) -> Any:
    return _send_code(call, request.phone_number)


@method(functions.auth.ResendCodeRequest, anonymous=True)
def resend_code(call: Call, request: Any) -> Any:
    call.services.logins.find_code(request.phone_number, request.phone_code_hash)
    call.services.logins.forget_code(request.phone_code_hash)
    return _send_code(call, request.phone_number)


@method(functions.auth.CancelCodeRequest, anonymous=True)
def cancel_code(call: Call, request: Any) -> bool:
    call.services.logins.find_code(request.phone_number, request.phone_code_hash)
    call.services.logins.forget_code(request.phone_code_hash)
    return True


@method(functions.auth.SignInRequest, anonymous=True)
def sign_in(call: Call, request: Any) -> Any:
    services, phone, code_hash = call.services, request.phone_number, request.phone_code_hash
    if not request.phone_code:
        raise RpcError("PHONE_CODE_EMPTY")
    services.logins.check_code(phone, code_hash, request.phone_code)
    account = services.accounts.find_by_phone(phone)
    if account is None:
        return types.auth.AuthorizationSignUpRequired()
    _refuse_banned(services, account.phone)
    services.logins.forget_code(code_hash)
    return admit_or_ask_password(call, account)


@method(functions.auth.SignUpRequest, anonymous=True)
def sign_up(call: Call, request: Any) -> Any:
    services = call.services
    if not services.logins.find_code(request.phone_number, request.phone_code_hash).is_proven:
        raise RpcError("PHONE_CODE_INVALID")
    if not request.first_name.strip():
        raise RpcError("FIRSTNAME_INVALID")
    account = services.accounts.add(request.phone_number, request.first_name, request.last_name)
    services.logins.forget_code(request.phone_code_hash)
    return admit(call, account)


@method(functions.auth.ImportBotAuthorizationRequest, anonymous=True)
def import_bot_authorization(call: Call, request: Any) -> Any:
    user_id, _, _ = request.bot_auth_token.partition(":")
    is_id = user_id.isascii() and user_id.isdecimal()
    bot = call.services.accounts.get(int(user_id)) if is_id else None
    if bot is None or not bot.bot or bot.bot_token != request.bot_auth_token:
        raise RpcError("ACCESS_TOKEN_INVALID")
    _refuse_banned(call.services, bot.phone)
    return admit(call, bot)


@method(functions.auth.LogOutRequest, anonymous=True)
def log_out(call: Call, _request: Any) -> Any:
    call.keys.sign_out(call.key)
    return types.auth.LoggedOut()


def _send_code(call: Call, phone: str) -> Any:
    services, bare = call.services, bare_phone(phone)
    if not bare.isdecimal() or len(bare) < _SHORTEST_PHONE:
        raise RpcError("PHONE_NUMBER_INVALID")
    _refuse_banned(services, bare)
    account = services.accounts.find_by_phone(bare)
    if account and account.bot:
        raise RpcError("PHONE_NUMBER_INVALID")
    code = account.code if account else f"{secrets.randbelow(10**5):05}"
    code_hash = services.logins.send_code(bare, code)
    services.announce_code(code)
    if account and services.keys.of_account(account):
        _send_code_to_owner(services, account, code)
    return types.auth.SentCode(
        types.auth.SentCodeTypeApp(len(code)), code_hash, timeout=_RESEND_AFTER
    )


def _send_code_to_owner(services: Services, account: Account, code: str) -> None:
    text = f"Login code: {code}. Do not give this code to anyone, even if they say they are from Telegram!"
    services.message_actions.send(services.accounts.service, account, Draft(text))


def _refuse_banned(services: Services, phone: str) -> None:
    if services.faults.holds(Kind.BAN, phone, services.time()):
        raise RpcError("PHONE_NUMBER_BANNED")
