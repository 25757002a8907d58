"""Which methods are served at which address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from sandbox.telegram.addresses import Address

_ABOUT_THE_LINE = ("help.getconfig", "help.getcdnconfig", "help.getnearestdc", "help.getappconfig")
_LOGIN_CARRIED_OVER = ("auth.importauthorization", "auth.logout")
_DOWNLOAD = "upload.getfile"
_EVERYWHERE = frozenset({*_ABOUT_THE_LINE, *_LOGIN_CARRIED_OVER, _DOWNLOAD})


def check_place(address: Address, home: int, name: str, request: Any) -> None:
    """Raise RpcError if this method is not served here; accounts belong to the home data centre."""
    if address.media_only and not (name in _EVERYWHERE or name.startswith("upload.")):
        raise RpcError("METHOD_INVALID")
    if address.dc_id == home or name in _EVERYWHERE:
        return
    if hasattr(request, "phone_number"):
        raise RpcError(f"PHONE_MIGRATE_{home}")
    raise RpcError(f"{'NETWORK' if name.startswith('auth.') else 'USER'}_MIGRATE_{home}")
