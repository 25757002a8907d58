"""Signing in: access tokens like the service's (HS256), and refresh tokens that work once."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from sandbox.teamflame.errors import ServiceError

if TYPE_CHECKING:
    from sandbox.teamflame.records import Json, Person

_REFRESH_LIFETIME = 30 * 24 * 3600  # seconds


class Tokens:
    """Issues and checks the tokens of one workspace."""

    def __init__(self, lifetime: float) -> None:
        self.lifetime = lifetime
        self._key = secrets.token_bytes(32)
        self._refresh: dict[str, str] = {}
        self._valid_from: dict[str, float] = {}

    def issue(self, person: Person) -> Json:
        now = time.time()
        claims = {
            "email": person.email,
            "userId": person.id,
            "iat": now,
            "exp": now + self.lifetime,
            "jti": secrets.token_hex(4),
        }
        refresh = secrets.token_urlsafe(32)
        self._refresh[refresh] = person.id
        return {
            "accessToken": {"token": self._encode(claims), "expiresIn": self.lifetime},
            "refreshToken": {"token": refresh, "expiresIn": _REFRESH_LIFETIME},
        }

    def renew(self, refresh: str) -> str:
        """Use up a refresh token, and return whose it was."""
        person = self._refresh.pop(refresh, None)
        if person is None:
            raise ServiceError(401, "Refresh token is invalid")
        return person

    def owner(self, access: str) -> str:
        """Return whose valid token it is."""
        head, _, signature = access.rpartition(".")
        if not head or not hmac.compare_digest(self._sign(head), signature):
            raise ServiceError(401, "Unauthorized")
        claims: dict[str, Any] = json.loads(_decode(head.partition(".")[2]))
        person: str = claims["userId"]
        if claims["exp"] <= time.time() or claims["iat"] < self._valid_from.get(person, 0):
            raise ServiceError(401, "Unauthorized")
        return person

    def expire(self, person: str, *, with_refresh: bool) -> None:
        """Make the tokens of a person useless from now on."""
        self._valid_from[person] = time.time()
        if with_refresh:
            self._refresh = {key: of for key, of in self._refresh.items() if of != person}

    def _encode(self, claims: Json) -> str:
        parts = ({"alg": "HS256", "typ": "JWT"}, claims)
        head = ".".join(_encode(json.dumps(part).encode()) for part in parts)
        return f"{head}.{self._sign(head)}"

    def _sign(self, head: str) -> str:
        return _encode(hmac.digest(self._key, head.encode(), "sha256"))


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
