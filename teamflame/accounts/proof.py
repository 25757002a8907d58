"""Checks what Telegram hands to a Mini App, and makes the short tokens that stand for it."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from teamflame.errors import ProofInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

LAUNCH_LIFETIME: Final = 24 * 3600  # seconds that the data of a launch are good for
TOKEN_LIFETIME: Final = 3600  # seconds
_CLOCK_SKEW: Final = 60  # seconds by which Telegram's clock may be ahead of ours
_LONGEST: Final = 8192  # characters of the data of a launch
_MOST_FIELDS: Final = 30
_LARGEST_ID: Final = 2**52
_LANGUAGES: Final = ("en", "ru", "uk")
_PURPOSE: Final = b"telefix teamflame tokens"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call: a Telegram user, or, from another messenger, an account itself."""

    user_id: int | None
    account: str | None = None
    first_name: str = ""
    language: str = "en"
    since: int = 0
    start_param: str | None = None


def verify_launch(raw: str, bot_token: str, now: float) -> Caller:
    """Return whom Telegram vouches for; raise `ProofInvalid` if the data are forged or too old."""
    fields = _read(raw)
    presented = fields.pop("hash", "")
    lines = "\n".join(f"{key}={value}" for key, value in sorted(fields.items()))
    secret = hmac.digest(b"WebAppData", bot_token.encode(), "sha256")
    expected = hmac.digest(secret, lines.encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), presented.encode()):
        raise ProofInvalid
    since = _moment(fields.get("auth_date", ""), now)
    user = _user(fields.get("user", ""))
    return Caller(
        user_id=user["id"],
        first_name=str(user.get("first_name") or "")[:100],
        language=known_language(user.get("language_code")),
        since=since,
        start_param=fields.get("start_param"),
    )


def known_language(code: object) -> str:
    """Choose the language that is nearest to what Telegram says of a user."""
    short = code[:2].lower() if isinstance(code, str) else ""
    return short if short in _LANGUAGES else "en"


class ShortTokens:
    """Makes and checks signed tokens, so that not every call carries the data of the launch."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Sign with the first key and accept any of them."""
        self._keys = [hmac.digest(key, _PURPOSE, "sha256") for key in keys]

    def make(self, caller: Caller, now: float) -> tuple[str, int]:
        """Return a token and when it expires; it is refused earlier if the launch is too old by then."""
        expires = int(now) + TOKEN_LIFETIME
        claims = {
            "user": caller.user_id,
            "account": caller.account,
            "name": caller.first_name,
            "language": caller.language,
            "since": caller.since,
            "expires": expires,
        }
        body = _encode(json.dumps(claims, separators=(",", ":")).encode())
        return f"{body}.{_encode(self._sign(self._keys[0], body))}", expires

    def verify(self, token: str, now: float) -> Caller:
        body, _, signature = token.partition(".")
        if len(token) > _LONGEST or not token.isascii():
            raise ProofInvalid
        presented = signature.encode()
        signatures = [_encode(self._sign(key, body)).encode() for key in self._keys]
        if not any([hmac.compare_digest(each, presented) for each in signatures]):  # noqa: C419 - in constant time
            raise ProofInvalid
        claims = json.loads(_decode(body))
        if claims["expires"] <= now or claims["since"] + LAUNCH_LIFETIME <= now:
            raise ProofInvalid
        return Caller(
            user_id=claims["user"],
            account=claims["account"],
            first_name=claims["name"],
            language=claims["language"],
            since=claims["since"],
        )

    def _sign(self, key: bytes, body: str) -> bytes:
        return hmac.digest(key, body.encode(), "sha256")


def _read(raw: str) -> dict[str, str]:
    if not raw or len(raw) > _LONGEST:
        raise ProofInvalid
    try:
        pairs = parse_qsl(
            raw,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as exc:
        raise ProofInvalid from exc
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ProofInvalid
    return fields


def _moment(text: str, now: float) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise ProofInvalid
    since = int(text)
    if not now - LAUNCH_LIFETIME < since < now + _CLOCK_SKEW:
        raise ProofInvalid
    return since


def _user(text: str) -> dict[str, Any]:
    try:
        user = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ProofInvalid from exc
    found = user.get("id") if isinstance(user, dict) else None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 < found < _LARGEST_ID:
        raise ProofInvalid
    return dict(user)


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except Base64Error as exc:
        raise ProofInvalid from exc
