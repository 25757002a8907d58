"""What Telegram hands to a Mini App, signed with the bot's token."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account

VERSION = "9.1"
_KEY = Ed25519PrivateKey.generate()
_THEME = {
    "bg_color": "#ffffff",
    "text_color": "#000000",
    "hint_color": "#707579",
    "link_color": "#3390ec",
    "button_color": "#3390ec",
    "button_text_color": "#ffffff",
    "secondary_bg_color": "#f4f4f5",
}


@dataclass(frozen=True, slots=True)
class Launch:
    """The signed data of one launch, and the address that the app opens."""

    init_data: str
    url: str
    query_id: int


def sign_launch(person: Account, bot: Account, url: str, start_param: str | None) -> Launch:
    """Make what the Mini App gets; without an address it has no page to open."""
    query_id = secrets.randbits(62)
    fields = {
        "query_id": f"AA{query_id:x}",
        "user": _describe(person),
        "auth_date": str(int(time.time())),
        **({"start_param": start_param} if start_param else {}),
    }
    fields |= {"signature": _sign_for_others(fields, bot.id)}
    init_data = urlencode(fields | {"hash": sign(fields, bot.bot_token)}, quote_via=quote)
    return Launch(init_data, _address(url, init_data, start_param) if url else "", query_id)


def sign(fields: dict[str, str], bot_token: str) -> str:
    """Sign the fields as Telegram does, so that only the bot's owner can check them."""
    key = hmac.digest(b"WebAppData", bot_token.encode(), hashlib.sha256)
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    return hmac.new(key, lines.encode(), hashlib.sha256).hexdigest()


def _sign_for_others(fields: dict[str, str], bot_id: int) -> str:
    """Sign the fields for those who do not have the bot's token, with a key of this Telegram's."""
    lines = "\n".join(f"{name}={value}" for name, value in sorted(fields.items()))
    signature = _KEY.sign(f"{bot_id}:WebAppData\n{lines}".encode())
    return urlsafe_b64encode(signature).decode().rstrip("=")


def _describe(person: Account) -> str:
    shown = {
        "id": person.id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        **({"username": person.username} if person.username else {}),
        "language_code": person.language,
        "allows_write_to_pm": True,
    }
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def _address(url: str, init_data: str, start_param: str | None) -> str:
    launch = {
        "tgWebAppData": init_data,
        "tgWebAppVersion": VERSION,
        "tgWebAppPlatform": "web",
        "tgWebAppThemeParams": json.dumps(_THEME, separators=(",", ":")),
        **({"tgWebAppStartParam": start_param} if start_param else {}),
    }
    mark = "&" if "#" in url else "#"
    return f"{url}{mark}{urlencode(launch, quote_via=quote)}"
