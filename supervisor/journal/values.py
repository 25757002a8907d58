"""The frozen values that the journal returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - nodes read the types of `Counts` at run time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from session_worker.protocol.messages import Incoming, PlanfixStatus
    from session_worker.protocol.outgoing import Outgoing
    from supervisor.database.tables import Direction, RowState


class Accepted(NamedTuple):
    """The row of an employee's message, stored now or when it came the first time."""

    row: int
    peer_id: int
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits to be handed to the worker, with the result of earlier attempts."""

    row: int
    peer_id: int
    body: Incoming | Outgoing
    attempts: int = 0
    next_try: float = 0.0
    is_uncertain: bool = False
    is_first: bool = False

    @property
    def lane(self) -> int:
        return self.peer_id

    @property
    def is_echo(self) -> bool:
        return getattr(self.body, "is_echo", False)


class OwedStatus(NamedTuple):
    """A status that Planfix does not know yet."""

    row: int
    planfix_id: str
    due: PlanfixStatus
    told: PlanfixStatus | None
    error_code: str | None

    @property
    def lane(self) -> int:
        return self.row


class GapTrace(NamedTuple):
    """How many messages came in together, how many are ours, and the row of the new ones."""

    row: int | None
    size: int
    ours: int = 0


class StoredIncoming(NamedTuple):
    """The new part of an incoming message."""

    trace: GapTrace
    incoming: Incoming

    @property
    def row(self) -> int | None:
        return self.trace.row


class Recorded(NamedTuple):
    """What follows from the report of a worker, now that it is stored."""

    stored: tuple[StoredIncoming, ...] = ()
    dropped: frozenset[int] = frozenset()
    sent: frozenset[int] = frozenset()
    owed: tuple[OwedStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as people see it."""

    id: int
    direction: Direction
    state: RowState
    peer_id: int
    key: str
    text: str | None
    files: tuple[str, ...]
    is_echo: bool
    attempts: int
    next_try: float | None
    is_uncertain: bool
    error_code: str | None
    error_detail: str | None
    status: str | None
    created: datetime
    done: datetime | None
    connector: str | None = None
    contact: str | None = None
    written: datetime | None = None
    tried: datetime | None = None
    read: datetime | None = None
    replays: int = 0
    replayed: datetime | None = None
    dismissed: datetime | None = None


class FailedTries(NamedTuple):
    """How often a message failed for one reason since its latest replay, and when."""

    replays: int
    code: str
    detail: str
    times: int
    first: datetime
    last: datetime


class MessagePath(NamedTuple):
    """A message with its ids in Telegram and everything that was tried."""

    entry: Entry
    telegram_ids: tuple[int, ...]
    failed: tuple[FailedTries, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many messages of a time without connection were found, delivered and missed."""

    id: int
    pts_from: int
    pts_to: int
    began: datetime
    created: datetime
    found: int
    delivered: int
    missing: int
    detail: str


@dataclass(frozen=True, slots=True)
class ByDirection:
    """How many messages in each direction: `into` Planfix, `out` to Telegram."""

    into: int = 0
    out: int = 0

    @property
    def total(self) -> int:
        return self.into + self.out


EMPTY: Final = ByDirection()


@dataclass(frozen=True, slots=True)
class Counts:
    """The undelivered messages of a number, since when the oldest waits, and its dead letters."""

    backlog: ByDirection = EMPTY
    dead: ByDirection = EMPTY
    oldest_waiting: datetime | None = None


NONE: Final = Counts()
