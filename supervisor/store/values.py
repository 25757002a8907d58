"""The frozen values that the store accepts and returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime  # noqa: TC003 - types are read at run time, too
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from session_worker.protocol import chats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from session_worker.protocol.proxy import Proxy
    from supervisor.database.tables import Login, Wanted
    from supervisor.database.writer import Claim


ChatSelection = chats.ChatSelection
ALL_CHATS: Final = ChatSelection()


@dataclass(frozen=True, slots=True)
class LastError:
    """The last error of a number: its code, what happened, and who has to do what."""

    code: str
    message: str
    action: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BotDetails:
    """What makes a number a bot: its token at Telegram, and what else is stored for bots only."""

    token: str = field(repr=False)
    language: str = "ru"
    planfix_rest_url: str | None = None
    planfix_rest_token: str | None = field(default=None, repr=False)
    planfix_webhook_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Bot:
    """What is stored for a bot in addition to what is stored for every number, without its secrets."""

    bot: str
    username: str
    language: str
    planfix_rest_url: str | None = None
    has_planfix_webhook: bool = False

    @property
    def can_comment(self) -> bool:
        """Whether there is a way for people's answers into Planfix's tasks."""
        return self.planfix_rest_url is not None or self.has_planfix_webhook


@dataclass(frozen=True, slots=True)
class ChatChanges:
    """The changes of the chosen chats; a field that is None stays as it is."""

    selection: ChatSelection | None = None
    history_since: date | None = None
    without_history: bool = False


@dataclass(frozen=True, slots=True)
class ChatChoice:
    """Which chats of a number go to Planfix, and since when their history does."""

    selection: ChatSelection = ALL_CHATS
    history_since: date | None = None

    def after(self, changes: ChatChanges) -> ChatChoice:
        history_since = changes.history_since or self.history_since
        return ChatChoice(
            changes.selection or self.selection, None if changes.without_history else history_since
        )


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A number that the operator registers, or a bot, whose Telegram id stands for the number.

    A bot without Planfix has an empty `url_planfix`.
    """

    number: str
    client: str
    url_planfix: str
    token_planfix: str = field(repr=False)
    provider_id: str = "telegram"
    user_email: str | None = None
    proxy: Proxy | None = None
    chats: ChatChanges = ChatChanges()
    governor: Mapping[str, Any] | None = None
    bot: BotDetails | None = None
    login: Session | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of a number; a field that is None stays as it is."""

    client: str | None = None
    url_planfix: str | None = None
    token_planfix: str | None = field(default=None, repr=False)
    provider_id: str | None = None
    user_email: str | None = None
    proxy: Proxy | None = None
    without_proxy: bool = False
    chats: ChatChanges = ChatChanges()
    governor: Mapping[str, Any] | None = None
    """Settings of its budgets to change; without any, all of them become the defaults again."""
    login: Session | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is stored, without its secrets."""

    number: str
    is_bot: bool
    client: str
    url_planfix: str
    provider_id: str
    user_email: str | None
    proxy_place: str | None
    wanted: Wanted
    login: Login
    parked: str | None
    last_error: LastError | None
    heard: float | None
    restarts: int
    epoch: int
    created: datetime
    changed: datetime


@dataclass(frozen=True, slots=True)
class Secrets:
    """A number's token for Planfix, and the proxy on its way to Telegram."""

    token_planfix: str = field(repr=False)
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """A registered number, with the token that is shown only once."""

    number: Number
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class UpdateState:
    """The position up to which a number has read its updates."""

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
        """Whether both are logins of one account, as far as is known.

        An imported session names no account. It counts as one of the number's own account until the
        worker has checked it.
        """
        if self.user_id is not None and held.user_id is not None:
            return self.user_id == held.user_id
        return self.auth_key == held.auth_key or (self.user_id is None and held.user_id is not None)

    def after(self, held: Self) -> Self:
        """Continue from the update state of the same account's previous login.

        The state in an imported session does not count: another program may have read updates that
        were not delivered here, and delivered updates must not be delivered again.
        """
        if not self.is_of_same_account(held):
            return self
        updates = held.updates
        if updates is not None and self.auth_key != held.auth_key:
            # pts belongs to the account; qts and seq belong to the key and start again with it.
            updates = replace(updates, qts=0, seq=0)
        user_id = self.user_id or held.user_id
        return replace(self, user_id=user_id, updates=updates or self.updates)


@dataclass(frozen=True, slots=True)
class Entity:
    """A peer, with the access hash that the number's login needs to write to it.

    The hash is `NO_HASH` if only an earlier login knew the peer.
    """

    peer_id: int
    access_hash: int
    username: str | None = None
    phone: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class LoginLink:
    """The number of a login link, when it expires, and whether it is used."""

    number: str
    expires: datetime
    is_used: bool


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which number, and when."""

    id: int
    at: datetime
    who: str
    action: str
    number: str | None
    detail: str | None


class UpdatesMoved(NamedTuple):
    """A worker's report that its number has read its updates up to here."""

    claim: Claim
    updates: UpdateState


class NewRecipient(NamedTuple):
    """Whom a notification is for, as the caller wrote it and as Telegram names them."""

    name: str
    peer_id: int
    topic: int | None = None


class Lookup(NamedTuple):
    """A notification for which Planfix is to be asked, and since when it waits."""

    created: datetime
    id: str


class Queued(NamedTuple):
    """A recipient whose message waits at the head of its chat."""

    id: int
    peer_id: int
    parts: int
    is_urgent: bool
    expires: float | None
    notification: str = ""
    topic: int | None = None


class UnderWay(NamedTuple):
    """A message in the journal, with the number of messages in Telegram that it becomes."""

    peer_id: int
    parts: int


class Progress(NamedTuple):
    """What is stored of a recipient, and of its row in the journal if there is one."""

    stored: str
    error_code: str | None
    row_state: str | None = None
    row_error: str | None = None
    message_id: int | None = None
    name: str = ""
    peer_id: int = 0
