"""What the store takes or gives: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from datetime import datetime

    from session_worker.protocol.proxy import Proxy
    from supervisor.database.epoch import Claim
    from supervisor.database.tables import Login, Wanted


@dataclass(frozen=True, slots=True)
class LastError:
    """What went wrong last: a code, what happened in words, who must do what."""

    code: str
    message: str
    action: str


@dataclass(frozen=True, slots=True)
class NewNumber:
    """What the operator registers."""

    number: str
    client: str
    url_planfix: str
    token_planfix: str = field(repr=False)
    provider_id: str = "telegram"
    user_email: str | None = None
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to change about a number; nothing means: stays as it is."""

    client: str | None = None
    url_planfix: str | None = None
    token_planfix: str | None = field(default=None, repr=False)
    provider_id: str | None = None
    user_email: str | None = None
    proxy: Proxy | None = None
    without_proxy: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is stored, without its secrets."""

    number: str
    client: str
    url_planfix: str
    provider_id: str
    user_email: str | None
    proxy_place: str | None
    wanted: Wanted
    login: Login
    parked: str | None
    last_error: LastError | None
    restarts: int
    epoch: int
    created: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class Secrets:
    """What opens a number's Planfix account, and leads it to Telegram."""

    token_planfix: str = field(repr=False)
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A registered number with the token that is shown this once."""

    number: Number
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpdateState:
    """The place in Telegram's stream of updates up to which a number has read."""

    pts: int
    qts: int
    date: int
    seq: int


@dataclass(frozen=True, slots=True)
class Session:
    """A login at Telegram."""

    dc_id: int
    server_address: str
    port: int
    auth_key: bytes = field(repr=False)
    user_id: int | None = None
    updates: UpdateState | None = None

    def is_of_same_account(self, held: Self) -> bool:
        """Whether it can be told that both are logins of one account.

        One that comes from outside names no account: it is taken for the number's own until its
        worker has looked.
        """
        if self.user_id is not None and held.user_id is not None:
            return self.user_id == held.user_id
        return self.auth_key == held.auth_key or (self.user_id is None and held.user_id is not None)

    def after(self, held: Self) -> Self:
        """Go on where the last login of the same account was, whatever place this one brings.

        What another program has read meanwhile was not delivered here; what was, must not come again.
        """
        if not self.is_of_same_account(held):
            return self
        place = held.updates
        if place is not None and self.auth_key != held.auth_key:
            # pts are counted for the account, these two for each key anew.
            place = replace(place, qts=0, seq=0)
        user_id = self.user_id or held.user_id
        return replace(self, user_id=user_id, updates=place or self.updates)


@dataclass(frozen=True, slots=True)
class Entity:
    """A peer with the access hash that the number's login needs to write there.

    The hash is `NO_HASH` where only an earlier login has met the peer.
    """

    peer_id: int
    access_hash: int
    username: str | None = None
    phone: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class LoginLink:
    """Whose link it is, how long it counts, whether it has done its work."""

    number: str
    expires: datetime
    is_used: bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which number, when."""

    id: int
    at: datetime
    who: str
    action: str
    number: str | None
    detail: str | None


class UpdatesMoved(NamedTuple):
    """The word of a worker that its number has read up to here."""

    claim: Claim
    updates: UpdateState
