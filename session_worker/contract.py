"""The whole vocabulary of the pipe: commands go down to a worker, events come up from it."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from session_worker.frozen import Bytes, Frozen
from session_worker.login_message import LoginCommand, LoginEvent
from session_worker.message import MessageCommand, MessageEvent


class ExitCode(IntEnum):
    """What a worker's exit says to its keeper."""

    OK = 0
    CRASHED = 1
    BOOT_FAILED = 64
    NEEDS_LOGIN = 65
    LOGGED_IN = 66
    PARENT_GONE = 70
    LEASE_LOST = 71


class SessionState(StrEnum):
    """How the Telegram session is, as its worker says it."""

    CONNECTING = "connecting"
    ONLINE = "online"
    RECONNECTING = "reconnecting"
    DEAF = "deaf"
    NEEDS_LOGIN = "needs_login"
    NEEDS_CODE = "needs_code"
    NEEDS_PASSWORD = "needs_password"  # noqa: S105 - a state, not a secret
    LIMITED = "limited"
    BANNED = "banned"


class TroubleCode(StrEnum):
    """What went wrong with a session; texts for people live where they are shown."""

    UNREACHABLE = "telegram_unreachable"
    NO_SESSION = "no_session"
    LOGIN_ABANDONED = "login_abandoned"
    LOGIN_REFUSED = "login_refused"
    REVOKED = "session_revoked"
    DUPLICATED = "session_duplicated"
    KEY_UNKNOWN = "session_unknown"
    BANNED = "account_banned"
    DEACTIVATED = "account_deactivated"
    WRONG_ACCOUNT = "wrong_account"
    LIMITED = "sending_limited"
    DEAF = "updates_missed"
    REJECTED = "telegram_rejected"
    CLOCK = "clock_wrong"


class Trouble(Frozen):
    """One thing that went wrong, with Telegram's own words for it."""

    code: TroubleCode
    detail: str = ""
    retry_after: float | None = None


class Application(Frozen):
    """The credentials under which we speak to Telegram."""

    api_id: int
    api_hash: str = Field(repr=False)


class DataCentre(Frozen):
    """A data centre other than Telegram's own, with the public key that proves it."""

    host: str
    port: int
    public_key: str
    dc_id: int = 2


class UpdateState(Frozen):
    """How far into the account's updates everything has been stored."""

    pts: int
    qts: int = 0
    date: int = 0
    seq: int = 0


class Entity(Frozen):
    """A Telegram peer with the access hash this account needs to address it."""

    peer_id: int
    access_hash: int
    username: str | None = None
    phone: str | None = None
    name: str | None = None


class StoredSession(Frozen):
    """What must survive a process for the number to be logged in again."""

    dc_id: int
    server_address: str
    port: int
    auth_key: Bytes = Field(repr=False)
    user_id: int | None = None
    update_state: UpdateState | None = None
    entities: tuple[Entity, ...] = ()


class PlanfixAccount(Frozen):
    """Where this number's messages go, with the key that opens it."""

    url: str
    token: str = Field(repr=False)
    provider_id: str
    user_email: str | None = None
    may_be_private: bool = False


class Assignment(Frozen):
    """Everything a worker ever learns: one number, one session, one Planfix account."""

    kind: Literal["assignment"] = "assignment"
    number: str
    epoch: int
    deadline: float
    application: Application
    data_centre: DataCentre | None = None
    session: StoredSession | None = None
    planfix: PlanfixAccount
    spool: str
    language: str = "ru"
    log_level: str = "INFO"
    log_format: Literal["text", "json"] = "text"
    session_factory: str = "session_worker.number:Number"


class Beat(Frozen):
    """Renews the lease until ``deadline`` (CLOCK_BOOTTIME seconds), asks for a pulse."""

    kind: Literal["beat"] = "beat"
    beat_id: int
    deadline: float


class Pulse(Frozen):
    """A worker's answer to a beat: how its process is."""

    kind: Literal["pulse"] = "pulse"
    beat_id: int
    loop_lag: float
    last_heard: float | None = None
    queue_depth: int = 0
    memory: int = 0


class SessionChanged(Frozen):
    """The session entered another state."""

    kind: Literal["session_changed"] = "session_changed"
    state: SessionState
    trouble: Trouble | None = None


class KeySaved(Frozen):
    """The session's key or data centre changed; entities and update state travel on their own."""

    kind: Literal["key_saved"] = "key_saved"
    dc_id: int
    server_address: str
    port: int
    auth_key: Bytes = Field(repr=False)
    user_id: int | None = None


class EntitiesSeen(Frozen):
    """Peers whose access hash became known or changed."""

    kind: Literal["entities_seen"] = "entities_seen"
    entities: tuple[Entity, ...]


class UpdateStateMoved(Frozen):
    """Everything up to this point has been handed over; the stored state may follow."""

    kind: Literal["update_state_moved"] = "update_state_moved"
    update_state: UpdateState


class PlanfixChanged(Frozen):
    """Planfix went away, or it is back."""

    kind: Literal["planfix_changed"] = "planfix_changed"
    is_away: bool


class WatchPlanfix(Frozen):
    """Says how to look for a Planfix that is away: one number of an account does it often."""

    kind: Literal["watch_planfix"] = "watch_planfix"
    is_lookout: bool
    try_now: bool = False


Command = Annotated[
    Assignment | Beat | WatchPlanfix | MessageCommand | LoginCommand, Field(discriminator="kind")
]
Event = Annotated[
    Pulse
    | SessionChanged
    | KeySaved
    | EntitiesSeen
    | UpdateStateMoved
    | PlanfixChanged
    | MessageEvent
    | LoginEvent,
    Field(discriminator="kind"),
]

COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
