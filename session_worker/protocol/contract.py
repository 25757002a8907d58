"""The whole vocabulary of the pipe: commands go down to a worker, and events come up from it."""

from __future__ import annotations

from datetime import date
from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import FailFast, Field, TypeAdapter

from session_worker.protocol.bots import BotEvent, BotRequest
from session_worker.protocol.chats import ChatSelection
from session_worker.protocol.login import LoginCommand, LoginEvent
from session_worker.protocol.messages import MessageCommand, MessageEvent
from session_worker.protocol.pipe_fields import (
    MOST_ENTITIES,
    MOST_LINES,
    Bytes,
    CommandText,
    Detail,
    Host,
    Int32,
    Int64,
    Label,
    Moment,
    Name,
    Phone,
    PipeValue,
    Seconds,
)
from session_worker.protocol.proxy import Proxy


class ExitCode(IntEnum):
    """What a worker's exit code tells its keeper."""

    OK = 0
    CRASHED = 1
    BOOT_FAILED = 64
    NEEDS_LOGIN = 65
    LOGGED_IN = 66
    PARENT_GONE = 70
    LEASE_LOST = 71
    CONNECTION_LEFT_OPEN = 72
    STORAGE_FAILING = 73


class SessionState(StrEnum):
    """The state of the Telegram session, as its worker reports it."""

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
    """What went wrong with a session; the texts for people are kept where they are shown."""

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
    FAILING = "telegram_failing"
    LAYER = "layer_outdated"
    FOLDER_MISSING = "folder_missing"
    PROXY_UNREACHABLE = "proxy_unreachable"
    PROXY_REFUSED = "proxy_refused"
    PROXY_UNAUTHORIZED = "proxy_unauthorized"
    PROXY_FORBIDDEN = "proxy_forbidden"


class Trouble(PipeValue):
    """One thing that went wrong, with Telegram's own text for it."""

    code: TroubleCode
    detail: Detail = ""
    retry_after: Seconds | None = None


class Application(PipeValue):
    """The credentials of this application at Telegram."""

    api_id: int
    api_hash: CommandText = Field(repr=False)


class DataCentre(PipeValue):
    """A data centre other than Telegram's own, with the public key that proves it."""

    host: CommandText
    port: int
    public_key: CommandText
    dc_id: int = 2


class UpdateState(PipeValue):
    """The point in the account's updates up to which everything has been stored."""

    pts: Int32
    qts: Int32 = 0
    date: Int64 = 0
    seq: Int32 = 0


NO_HASH = 0
"""Stands for the access hash of a peer that only an earlier login has seen."""


class Entity(PipeValue):
    """A Telegram peer with the access hash that this login needs to address it."""

    peer_id: Int64
    access_hash: Int64
    username: Label | None = None
    phone: Phone | None = None
    name: Name | None = None


class StoredSession(PipeValue):
    """What must survive a process so that the number stays logged in."""

    dc_id: Int32
    server_address: Host
    port: Int32
    auth_key: Bytes = Field(repr=False)
    user_id: Int64 | None = None
    update_state: UpdateState | None = None
    entities: tuple[Entity, ...] = ()


class PlanfixAccount(PipeValue):
    """The Planfix account to which this number's messages are sent, with its key."""

    url: CommandText
    token: CommandText = Field(repr=False)
    provider_id: CommandText
    user_email: CommandText | None = None
    may_be_private: bool = False


class Assignment(PipeValue):
    """Everything a worker ever learns: one number, one session and one Planfix account."""

    kind: Literal["assignment"] = "assignment"
    number: CommandText
    epoch: int
    deadline: float
    is_bot: bool = False
    application: Application
    data_centre: DataCentre | None = None
    session: StoredSession | None = None
    planfix: PlanfixAccount
    proxy: Proxy | None = None
    chats: ChatSelection = ChatSelection()
    history_since: date | None = None
    spool: CommandText
    language: CommandText = "ru"
    log_level: CommandText = "INFO"
    log_format: Literal["text", "json"] = "text"
    session_factory: CommandText = "session_worker.number:NumberSession"


class Beat(PipeValue):
    """Renews the lease until ``deadline`` (CLOCK_BOOTTIME seconds) and asks for a pulse."""

    kind: Literal["beat"] = "beat"
    beat_id: int
    deadline: float


class Pulse(PipeValue):
    """The answer to a beat: how the worker's process is."""

    kind: Literal["pulse"] = "pulse"
    beat_id: Int64
    loop_lag: Seconds
    last_heard: Moment | None = None
    queue_depth: Int64 = 0
    memory: Int64 = 0
    private: Int64 | None = None
    merged: Int64 | None = None


class SessionChanged(PipeValue):
    """The session has entered another state."""

    kind: Literal["session_changed"] = "session_changed"
    state: SessionState
    trouble: Trouble | None = None


class KeySaved(PipeValue):
    """The session's key or data centre has changed; entities and update state are sent separately."""

    kind: Literal["key_saved"] = "key_saved"
    dc_id: Int32
    server_address: Host
    port: Int32
    auth_key: Bytes = Field(repr=False)
    user_id: Int64 | None = None


class EntitiesSeen(PipeValue):
    """Peers whose access hash became known or has changed."""

    kind: Literal["entities_seen"] = "entities_seen"
    entities: Annotated[tuple[Entity, ...], FailFast(), Field(max_length=MOST_ENTITIES)]


class UpdateStateMoved(PipeValue):
    """Everything up to this point has been handed over, so the stored state may follow."""

    kind: Literal["update_state_moved"] = "update_state_moved"
    update_state: UpdateState


class PlanfixChanged(PipeValue):
    """Planfix went away, or it is back."""

    kind: Literal["planfix_changed"] = "planfix_changed"
    is_away: bool


class LogLine(PipeValue):
    """A line of the worker's log, cleaned of secrets."""

    at: Moment
    level: Label
    text: Detail


class Logged(PipeValue):
    """The newest lines of the worker's log, for people who look at the number."""

    kind: Literal["logged"] = "logged"
    lines: Annotated[tuple[LogLine, ...], FailFast(), Field(max_length=MOST_LINES)]


class WatchPlanfix(PipeValue):
    """Says how often to call a Planfix that is away: one number of each account does it often."""

    kind: Literal["watch_planfix"] = "watch_planfix"
    is_lookout: bool
    try_now: bool = False


Command = Annotated[
    Assignment | Beat | WatchPlanfix | MessageCommand | LoginCommand | BotRequest,
    Field(discriminator="kind"),
]
Event = Annotated[
    Pulse
    | SessionChanged
    | KeySaved
    | EntitiesSeen
    | UpdateStateMoved
    | PlanfixChanged
    | Logged
    | MessageEvent
    | LoginEvent
    | BotEvent,
    Field(discriminator="kind"),
]

COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)
EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
