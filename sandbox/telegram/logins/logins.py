"""The logins that are under way: codes, QR tokens and password challenges."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.telegram.accounts.accounts import bare_phone
from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.accounts.password_srp import Challenge
    from sandbox.telegram.protocol.client_session import Session

CODE_LIFETIME = 300.0  # seconds
TOKEN_LIFETIME = 30.0  # seconds
MAX_ATTEMPTS = 5
_MAX_CHALLENGES = 1000


@dataclass(slots=True)
class SentCode:
    """A login code on its way to the phone's owner."""

    phone: str
    code: str
    expires: float
    attempts: int = 0
    is_proven: bool = False


@dataclass(slots=True)
class LoginToken:
    """The token in a QR code; it has an account once the owner has scanned it."""

    session: Session
    expires: float
    account: Account | None = None


class Logins:
    """The logins under way."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._codes: dict[str, SentCode] = {}
        self._tokens: dict[bytes, LoginToken] = {}
        self._challenges: dict[int, Challenge] = {}

    def list_waiting_tokens(self) -> list[bytes]:
        """Return the tokens that can be scanned now, the newest last."""
        return [
            token
            for token, login in self._tokens.items()
            if login.account is None and login.expires >= self._time()
        ]

    def send_code(self, phone: str, code: str) -> str:
        """Record a code that was sent; return the hash that must be sent back with it."""
        self._drop_expired()
        code_hash = os.urandom(9).hex()
        self._codes[code_hash] = SentCode(bare_phone(phone), code, self._time() + CODE_LIFETIME)
        return code_hash

    def find_code(self, phone: str, code_hash: str) -> SentCode:
        """Return the code that was sent; raise PHONE_CODE_EXPIRED if it is no longer valid."""
        sent = self._codes.get(code_hash)
        if sent is None or sent.phone != bare_phone(phone) or sent.expires < self._time():
            raise RpcError("PHONE_CODE_EXPIRED")
        return sent

    def check_code(self, phone: str, code_hash: str, code: str) -> None:
        """Check the code; raise PHONE_CODE_INVALID if it is wrong."""
        sent = self.find_code(phone, code_hash)
        if not secrets.compare_digest(code.encode(), sent.code.encode()):
            sent.attempts += 1
            if sent.attempts >= MAX_ATTEMPTS:
                del self._codes[code_hash]
            raise RpcError("PHONE_CODE_INVALID")
        sent.is_proven = True

    def forget_code(self, code_hash: str) -> None:
        self._codes.pop(code_hash, None)

    def make_token(self, session: Session) -> bytes:
        self._drop_expired()
        token = os.urandom(20)
        self._tokens[token] = LoginToken(session, self._time() + TOKEN_LIFETIME)
        return token

    def find_token(self, token: bytes) -> LoginToken:
        """Return a token's record; raise RpcError if it is unknown or expired."""
        found = self._tokens.get(token)
        if found is None:
            raise RpcError("AUTH_TOKEN_INVALID")
        if found.expires < self._time():
            raise RpcError("AUTH_TOKEN_EXPIRED")
        return found

    def accept_token(self, token: bytes, account: Account) -> LoginToken:
        """Record the account whose owner scanned a token; a token can be scanned once."""
        found = self.find_token(token)
        if found.account is not None:
            raise RpcError("AUTH_TOKEN_ALREADY_ACCEPTED")
        found.account = account
        return found

    def pop_accepted(self, session: Session) -> Account | None:
        """Remove a scanned token of this client and return the account of its owner, if any."""
        for token, found in self._tokens.items():
            if found.session.key is session.key and found.account is not None:
                return self._tokens.pop(token).account
        return None

    def remember(self, challenge: Challenge) -> None:
        self._challenges[challenge.id] = challenge
        while len(self._challenges) > _MAX_CHALLENGES:
            del self._challenges[next(iter(self._challenges))]

    def pop_challenge(self, challenge_id: int) -> Challenge:
        """Remove and return a password challenge; each can be answered once."""
        challenge = self._challenges.pop(challenge_id, None)
        if challenge is None:
            raise RpcError("SRP_ID_INVALID")
        return challenge

    def _drop_expired(self) -> None:
        moment = self._time()
        self._codes = {h: c for h, c in self._codes.items() if c.expires >= moment}
        self._tokens = {t: k for t, k in self._tokens.items() if k.expires >= moment}
