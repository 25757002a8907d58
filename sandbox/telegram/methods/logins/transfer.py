"""Carrying a login over to the data centre that stores a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.chats import tl_views
from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.rpc import Call


@method(functions.auth.ExportAuthorizationRequest)
def export_authorization(call: Call, request: Any) -> Any:
    services, dc_id = call.services, request.dc_id
    if dc_id == call.address.dc_id or dc_id not in services.addresses.dc_ids:
        raise RpcError("DC_ID_INVALID")
    token = services.exports.make(call.key, call.account, dc_id)
    return types.auth.ExportedAuthorization(call.account.id, token)


@method(functions.auth.ImportAuthorizationRequest, anonymous=True)
def import_authorization(call: Call, request: Any) -> Any:
    """Log in a key of this data centre, for as long as the login that it comes from lasts."""
    exports, here = call.services.exports, call.address.dc_id
    login, account = exports.pop(request.bytes, here, request.id)
    call.keys.sign_in(call.key, account)
    # A login that was carried over addresses people as it does at home.
    call.key.exported_from, call.key.login = login, login.login
    return types.auth.Authorization(tl_views.user(call.viewer, account))
