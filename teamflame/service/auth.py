"""Signing in to TeamFlame, and renewing what it gave."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from teamflame.errors import AccessExpired, CredentialsInvalid, Forbidden, NotFound, Rejected
from teamflame.service import parser
from teamflame.service.endpoints import Call

if TYPE_CHECKING:
    from teamflame.service.client import ServiceClient
    from teamflame.service.values import Access

_REFUSED = (AccessExpired, Forbidden, NotFound, Rejected)


class Auth:
    """Takes a password once and passes it on; it is stored nowhere."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def sign_in(self, email: str, password: str) -> Access:
        """Raise `CredentialsInvalid` if the service refuses them."""
        fields = {"email": email, "password": password}
        try:
            answer = await self._client.call(Call.SIGN_IN, fields=fields)
        except _REFUSED as exc:
            raise CredentialsInvalid from exc
        return parser.access(answer, datetime.now(UTC))

    async def renew(self, refresh: str) -> Access:
        """Raise `AccessExpired` if the refresh token is of no use any more."""
        try:
            answer = await self._client.call(Call.REFRESH, fields={"refreshToken": refresh})
        except _REFUSED as exc:
            raise AccessExpired from exc
        return parser.access(answer, datetime.now(UTC))
