"""Two-step verification: showing, checking and changing an account's password."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts import password_srp
from sandbox.telegram.errors import RpcError
from sandbox.telegram.methods.logins.login import admit
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.rpc import Call


@method(functions.account.GetPasswordRequest, anonymous=True)
def get_password(call: Call, _request: Any) -> Any:
    account = _owner(call)
    shown = types.account.Password(
        password_srp.make_algorithm(), types.SecurePasswordKdfAlgoUnknown(), os.urandom(32)
    )
    if account.password is not None:
        challenge = password_srp.make_challenge(account.password)
        call.services.logins.remember(challenge)
        shown.has_password, shown.hint = True, account.password.hint
        shown.current_algo = account.password.algorithm
        shown.srp_id, shown.srp_B = challenge.id, challenge.public.to_bytes(256, "big")
    return shown


@method(functions.auth.CheckPasswordRequest, anonymous=True)
def check_password(call: Call, request: Any) -> Any:
    account = _owner(call)
    _verify(call, account, request.password)
    return admit(call, account)


@method(functions.account.GetPasswordSettingsRequest)
def get_password_settings(call: Call, request: Any) -> Any:
    _verify(call, call.account, request.password)
    return types.account.PasswordSettings()


@method(functions.account.UpdatePasswordSettingsRequest)
def update_password_settings(call: Call, request: Any) -> bool:
    account, settings = call.account, request.new_settings
    if account.password is not None:
        _verify(call, account, request.password)
    verifier = int.from_bytes(settings.new_password_hash or b"", "big")
    if verifier and not isinstance(settings.new_algo, type(password_srp.make_algorithm())):
        raise RpcError("NEW_SETTINGS_INVALID")
    new = password_srp.Password(settings.new_algo, verifier, settings.hint or "")
    account.password = new if verifier else None
    return True


def _owner(call: Call) -> Account:
    """Return the owner of the password: the account that is logged in, or that still has to give it."""
    account = call.key.account or call.key.pending
    if account is None:
        raise RpcError("AUTH_KEY_UNREGISTERED")
    return account


def _verify(call: Call, account: Account, check: Any) -> None:
    if not isinstance(check, types.InputCheckPasswordSRP):
        raise RpcError("PASSWORD_HASH_INVALID")
    challenge = call.services.logins.pop_challenge(check.srp_id)
    if challenge.password is not account.password or not password_srp.is_answered(challenge, check):
        raise RpcError("PASSWORD_HASH_INVALID")
