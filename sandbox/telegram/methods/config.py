"""What a client asks before anything else: where it is, what the limits are."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from sandbox.telegram.clock import now
from sandbox.telegram.protocol.rpc import method

if TYPE_CHECKING:
    from sandbox.telegram.protocol.rpc import Call

_LIFETIME = timedelta(hours=1)
# Limits nobody here depends on all get the same harmless figure.
_LIMITS = dict.fromkeys(
    (
        name
        for name, parameter in inspect.signature(types.Config).parameters.items()
        if parameter.annotation in (int, "int") and name not in {"this_dc", "webfile_dc_id"}
    ),
    4096,
)


@method(functions.help.GetConfigRequest, anonymous=True)
def get_config(call: Call, _request: Any) -> Any:
    centre = call.data_centre
    return types.Config(
        date=now(),
        expires=now() + _LIFETIME,
        test_mode=False,
        this_dc=call.address.dc_id,
        dc_options=centre.addresses.options(),
        dc_txt_domain_name="",
        me_url_prefix="https://t.me/",
        webfile_dc_id=centre.dc_id,
        **_LIMITS,
    )


@method(functions.help.GetNearestDcRequest, anonymous=True)
def get_nearest_dc(call: Call, _request: Any) -> Any:
    return types.NearestDc("XX", call.address.dc_id, call.data_centre.dc_id)


@method(functions.help.GetCdnConfigRequest, anonymous=True)
def get_cdn_config(_call: Call, _request: Any) -> Any:
    return types.CdnConfig([])


@method(functions.help.GetAppConfigRequest, anonymous=True)
def get_app_config(_call: Call, _request: Any) -> Any:
    return types.help.AppConfig(0, types.JsonObject([]))
