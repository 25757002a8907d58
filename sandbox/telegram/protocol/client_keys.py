"""The authorization keys that clients hold."""

from __future__ import annotations

import os
import secrets
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from telethon.crypto import AuthKey

from sandbox.telegram.accounts.viewer import Viewer
from sandbox.telegram.clock import now
from sandbox.telegram.protocol.client_session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.protocol.connection import Connection

SALT_LIFETIME = 3600  # seconds
_MAX_SESSIONS = 20


@dataclass(slots=True, eq=False)
class ClientKey:
    """One authorization key, and what the data centre knows about its holder."""

    auth: Any
    account: Account | None = None
    # Which of the account's logins this is.
    login: int = 0
    # The account whose code was right but whose password is still missing.
    pending: Account | None = None
    # The login at the account's own data centre from which this key's login was carried over.
    exported_from: ClientKey | None = None
    # The client's description of itself from initConnection.
    device: Any = None
    # The newest layer that the client named; a connection of it may name none.
    layer: int | None = None
    # Every request is answered with this error once the key is invalid.
    refusal: str | None = None
    hash: int = field(default_factory=lambda: secrets.randbits(62) | 1)
    created: datetime = field(default_factory=now)
    active: datetime = field(default_factory=now)
    connections: set[Connection] = field(default_factory=set)
    sessions: dict[int, Session] = field(default_factory=dict)
    salt_seed: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def viewer(self) -> Viewer | None:
        return Viewer(self.account, self.login) if self.account else None

    @property
    def phone(self) -> str | None:
        return self.account.phone if self.account else None

    @property
    def is_orphaned(self) -> bool:
        """Whether the login that this one came from has ended."""
        origin = self.exported_from
        return origin is not None and (origin.account is not self.account or bool(origin.refusal))

    def salt_of(self, period: int) -> int:
        digest = sha1(self.salt_seed + period.to_bytes(8, "big"), usedforsecurity=False).digest()
        salt: int = struct.unpack("<q", digest[:8])[0]
        return salt

    def salt(self, unix: float) -> int:
        return self.salt_of(int(unix) // SALT_LIFETIME)

    def accepts_salt(self, salt: int, unix: float) -> bool:
        """Accept the current salt, or the one before it."""
        period = int(unix) // SALT_LIFETIME
        return salt in (self.salt_of(period), self.salt_of(period - 1))

    def future_salts(self, count: int, unix: float) -> Iterator[tuple[datetime, datetime, int]]:
        first = int(unix) // SALT_LIFETIME
        for period in range(first, first + count):
            yield _start_of(period), _start_of(period + 2), self.salt_of(period)

    def renew_salt(self) -> None:
        """Make all salts issued so far invalid."""
        self.salt_seed = os.urandom(16)

    def session(self, session_id: int) -> Session:
        """Return the protocol session with this id, which is created at its first message."""
        session = self.sessions.get(session_id)
        if session is None:
            self._forget_old_sessions()
            session = self.sessions[session_id] = Session(session_id, self)
        return session

    def drain_undelivered(self, heir: Session) -> Iterator[bytes]:
        """Yield what was pushed to lost sessions of this key and never acknowledged."""
        for session in self.sessions.values():
            if session is not heir and session.was_lost:
                yield from session.drain_unacknowledged()

    def _forget_old_sessions(self) -> None:
        detached = [s for s in self.sessions.values() if s.connection is None]
        for session in detached[: max(0, len(self.sessions) + 1 - _MAX_SESSIONS)]:
            del self.sessions[session.id]


def _start_of(period: int) -> datetime:
    return datetime.fromtimestamp(period * SALT_LIFETIME, UTC)


class Keyring:
    """All authorization keys, indexed by id and account."""

    def __init__(self) -> None:
        self._by_id: dict[int, ClientKey] = {}
        self._by_account: defaultdict[int, set[ClientKey]] = defaultdict(set)

    def get(self, key_id: int) -> ClientKey | None:
        return self._by_id.get(key_id)

    def register(self, auth_key: Any) -> ClientKey:
        """Store a key that an exchange has made."""
        key = self._by_id[auth_key.key_id] = ClientKey(auth_key)
        return key

    def make(self) -> ClientKey:
        """Make a key without an exchange."""
        # Telethon would drop leading zero bytes of a key.
        return self.register(AuthKey(b"\x01" + os.urandom(255)))

    def forget(self, key: ClientKey) -> None:
        """Drop a key; clients that still use it get an error that it is unknown."""
        self.sign_out(key)
        self._by_id.pop(key.auth.key_id, None)

    def of_account(self, account: Account) -> list[ClientKey]:
        """Return the keys that are logged in to an account, oldest first."""
        return sorted(self._by_account[account.id], key=lambda key: key.created)

    def sign_in(self, key: ClientKey, account: Account) -> None:
        self.sign_out(key)
        account.sign_ins += 1
        key.account, key.login, key.active = account, account.sign_ins, now()
        self._by_account[account.id].add(key)
        account.peak_per_key = max(account.peak_per_key, len(key.connections))

    def sign_out(self, key: ClientKey) -> None:
        if key.account:
            self._by_account[key.account.id].discard(key)
        key.account = key.pending = key.exported_from = None

    def listening(self, account: Account) -> Iterator[Session]:
        """Yield the connected sessions of an account that asked for updates."""
        for key in self._by_account[account.id]:
            if key.refusal is None:
                yield from (s for s in key.sessions.values() if s.connection and s.wants_updates)
