"""Logging in by a QR code that another session of the account scans."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.clock import now
from sandbox.telegram.logins.logins import TOKEN_LIFETIME
from sandbox.telegram.methods.logins.login import admit_or_ask_password
from sandbox.telegram.methods.logins.sessions import show
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.protocol.client_keys import ClientKey
    from sandbox.telegram.rpc import Call
    from sandbox.telegram.services import Services


def scan(services: Services, account: Account, token: bytes) -> ClientKey:
    """Scan a token as the account's owner; return the key that gets the login."""
    found = services.logins.accept_token(token, account)
    session = found.session
    session.push(session.serialise(types.UpdateShort(types.UpdateLoginToken(), now())))
    return found.session.key


@method(functions.auth.ExportLoginTokenRequest, anonymous=True)
def export_login_token(call: Call, _request: Any) -> Any:
    accepted = call.services.logins.pop_accepted(call.session)
    if accepted:
        return types.auth.LoginTokenSuccess(admit_or_ask_password(call, accepted))
    if call.key.account:
        user = tl_views.user(call.viewer, call.account)
        return types.auth.LoginTokenSuccess(types.auth.Authorization(user))
    expires = now() + timedelta(seconds=TOKEN_LIFETIME)
    return types.auth.LoginToken(expires, call.services.logins.make_token(call.session))


@method(functions.auth.ImportLoginTokenRequest, anonymous=True)
def import_login_token(call: Call, request: Any) -> Any:
    call.services.logins.find_token(request.token)
    return export_login_token(call, request)


@method(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(call: Call, request: Any) -> Any:
    return show(scan(call.services, call.account, request.token))
