"""The list of an account's logins, and ways to end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.errors import RpcError
from sandbox.telegram.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.protocol.client_keys import ClientKey
    from sandbox.telegram.rpc import Call

_TIME_TO_LIVE = 180  # days


def show(key: ClientKey, *, current: bool = False) -> Any:
    """Show one login; the current one has hash 0."""
    device = key.device
    return types.Authorization(
        hash=0 if current else key.hash,
        device_model=device.device_model if device else "",
        platform="",
        system_version=device.system_version if device else "",
        api_id=device.api_id if device else 0,
        app_name="",
        app_version=device.app_version if device else "",
        date_created=key.created,
        date_active=key.active,
        ip="127.0.0.1",
        country="",
        region="",
        current=current or None,
    )


@method(functions.account.GetAuthorizationsRequest)
def get_authorizations(call: Call, _request: Any) -> Any:
    keys = (k for k in call.services.keys.of_account(call.account) if not k.refusal)
    shown = [show(key, current=key is call.key) for key in keys]
    return types.account.Authorizations(_TIME_TO_LIVE, shown)


@method(functions.account.ResetAuthorizationRequest)
def reset_authorization(call: Call, request: Any) -> bool:
    for key in call.services.keys.of_account(call.account):
        if key.hash == request.hash:
            call.services.keys.sign_out(key)
            return True
    raise RpcError("HASH_INVALID")


@method(functions.auth.ResetAuthorizationsRequest)
def reset_authorizations(call: Call, _request: Any) -> bool:
    for key in call.services.keys.of_account(call.account):
        if key is not call.key:
            call.services.keys.sign_out(key)
    return True
