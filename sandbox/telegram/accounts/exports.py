"""Logins on their way from one data centre to another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.protocol.client_keys import ClientKey

LIFETIME = 60.0  # seconds
_TOKEN_LENGTH = 32


@dataclass(frozen=True, slots=True)
class _Exported:
    key: ClientKey
    account: Account
    dc_id: int
    until: float


class Exports:
    """What was exported and not yet imported; each token is good once, at one data centre."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._exported: dict[bytes, _Exported] = {}

    def make(self, key: ClientKey, account: Account, dc_id: int) -> bytes:
        """Make the token by which the holder of a login gets in at another data centre."""
        now = self._time()
        self._exported = {t: e for t, e in self._exported.items() if e.until > now}
        token = secrets.token_bytes(_TOKEN_LENGTH)
        self._exported[token] = _Exported(key, account, dc_id, now + LIFETIME)
        return token

    def take(self, token: bytes, dc_id: int, user_id: int) -> tuple[ClientKey, Account]:
        """Return whose login this is, under which key; raise RpcError unless it is good here."""
        exported = self._exported.pop(token, None)
        if exported is None or exported.dc_id != dc_id or exported.until <= self._time():
            raise RpcError("AUTH_BYTES_INVALID")
        if exported.account.id != user_id:
            raise RpcError("USER_ID_INVALID")
        return exported.key, exported.account
