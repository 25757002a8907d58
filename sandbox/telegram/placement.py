"""Which methods are served at which address, and to whom."""

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


def may_share_key(name: str) -> bool:
    """Return whether a key may send this method on a connection beside its main one."""
    return name in _ABOUT_THE_LINE or name.startswith("upload.")


_FOR_BOTS = frozenset(
    {
        "bots.getbotcommands",
        "bots.getbotmenubutton",
        "bots.resetbotcommands",
        "bots.setbotcommands",
        "bots.setbotmenubutton",
        "messages.setbotcallbackanswer",
    }
)
_FOR_PEOPLE = frozenset(
    {
        "auth.acceptlogintoken",
        "auth.exportlogintoken",
        "channels.createchannel",
        "channels.invitetochannel",
        "channels.joinchannel",
        "channels.readhistory",
        "contacts.addcontact",
        "contacts.block",
        "contacts.deletecontacts",
        "contacts.getcontacts",
        "contacts.importcontacts",
        "contacts.resolvephone",
        "contacts.search",
        "contacts.unblock",
        "messages.addchatuser",
        "messages.createchat",
        "messages.getbotcallbackanswer",
        "messages.getdialogs",
        "messages.gethistory",
        "messages.getpeerdialogs",
        "messages.getpinneddialogs",
        "messages.readhistory",
        "messages.requestwebview",
        "messages.search",
        "messages.searchglobal",
        "messages.startbot",
        "photos.uploadprofilephoto",
    }
)


def check_caller(name: str, *, is_bot: bool) -> None:
    """Raise RpcError if this method is only for people, or only for bots."""
    if is_bot and (name in _FOR_PEOPLE or name.startswith("account.")):
        raise RpcError("BOT_METHOD_INVALID")
    if not is_bot and name in _FOR_BOTS:
        raise RpcError("USER_BOT_REQUIRED")
