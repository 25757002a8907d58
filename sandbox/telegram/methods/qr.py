"""Logging in by a QR code that another session of the account scans."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.accounts.logins import TOKEN_LIFETIME
from sandbox.telegram.chats import tl_views
from sandbox.telegram.clock import now
from sandbox.telegram.methods.login import admit_or_ask_password
from sandbox.telegram.methods.sessions import show
from sandbox.telegram.protocol.rpc import method
from sandbox.telegram.protocol.tl_codec import serialise

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.protocol.client_keys import ClientKey
    from sandbox.telegram.protocol.rpc import Call


def scan(centre: DataCentre, account: Account, token: bytes) -> ClientKey:
    """Let an account's owner scan a token; return the key that is let in."""
    found = centre.logins.accept_token(token, account)
    found.session.push(serialise(types.UpdateShort(types.UpdateLoginToken(), now())))
    return found.session.key


@method(functions.auth.ExportLoginTokenRequest, anonymous=True)
def export_login_token(call: Call, _request: Any) -> Any:
    accepted = call.data_centre.logins.take_accepted(call.session)
    if accepted:
        return types.auth.LoginTokenSuccess(admit_or_ask_password(call, accepted))
    if call.key.account:
        user = tl_views.user(call.viewer, call.account)
        return types.auth.LoginTokenSuccess(types.auth.Authorization(user))
    expires = now() + timedelta(seconds=TOKEN_LIFETIME)
    return types.auth.LoginToken(expires, call.data_centre.logins.make_token(call.session))


@method(functions.auth.ImportLoginTokenRequest, anonymous=True)
def import_login_token(call: Call, request: Any) -> Any:
    call.data_centre.logins.find_token(request.token)
    return export_login_token(call, request)


@method(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(call: Call, request: Any) -> Any:
    return show(scan(call.data_centre, call.account, request.token))
