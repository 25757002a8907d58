"""The values of the journal, and the decisions about a message, without a database or a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - nodes read the types of `Counts` at run time
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

from session_worker.failures import Reason, failure_entry
from session_worker.protocol.messages import IncomingKind, PlanfixStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence, Set

    from session_worker.protocol.messages import Failure, Incoming, IncomingFile
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


_DELETION = -1
_FINGERPRINTS = 2**20


class Mark(NamedTuple):
    """A Telegram message or, if `change` is not 0, its edit or its deletion."""

    message_id: int
    change: int = 0


def marks_of(incoming: Incoming) -> list[Mark]:
    change = _change_of(incoming)
    return [Mark(message_id, change) for message_id in incoming.message_ids]


def row_key(incoming: Incoming) -> str:
    """Return a key that is the same whenever the same message comes in again."""
    first = marks_of(incoming)[0]
    return f"{incoming.peer_id}.{first.message_id}.{first.change}"


def without_known(incoming: Incoming, known: Set[Mark]) -> Incoming | None:
    """Return what is not stored yet: the first half of a divided album may already be stored."""
    new = tuple(mark.message_id for mark in marks_of(incoming) if mark not in known)
    if not new:
        return None
    files = tuple(file for file in incoming.files if _is_left(file, incoming, new))
    return incoming.model_copy(update={"message_ids": new, "files": files})


def next_status(due: PlanfixStatus, told: PlanfixStatus | None) -> PlanfixStatus:
    """Return `sent` first if `read` is due and Planfix does not know yet that it was sent."""
    if due is PlanfixStatus.READ and told is not PlanfixStatus.SENT:
        return PlanfixStatus.SENT
    return due


def may_have_been_sent(failure: Failure) -> bool:
    """Whether Telegram may have accepted the message although the attempt failed."""
    is_open = failure_entry(failure.code).reason is Reason.OFFLINE
    return is_open and failure.next_try is not None


def next_try_here(next_try: float | None, tried: float | None, now: float) -> float:
    """Return when a message is due by our clock, whichever machine has tried it before.

    The clock of that machine may be wrong by an hour, but the pause between the two moments is
    right, because both are by the same clock.
    """
    if next_try is None or tried is None:
        return next_try or 0.0
    return min(next_try, now + max(0.0, next_try - tried))


def chat_id(number: str, peer_id: int) -> str:
    return f"{number}_{peer_id}"


def peer_of(number: str, chat: str) -> int | None:
    """Return the peer of the chat, or None if it is not a chat of this number."""
    owner, _, peer = chat.strip().partition("_")
    if owner != number or not (peer.isascii() and peer.isdigit()) or len(peer) > 18:
        return None
    return int(peer)


def traces_of_gap(found: int, traces: Sequence[GapTrace]) -> list[GapTrace]:
    """Return the newest traces that together contain as many messages as were found."""
    of_gap: list[GapTrace] = []
    for each in reversed(traces):
        if found <= 0:
            break
        found -= each.size
        of_gap.append(each)
    return of_gap


def found_of_others(found: int, of_gap: Sequence[GapTrace], stored: Collection[int]) -> int:
    """Return how many messages we did not send ourselves.

    A message is ours if that was known at once, or if its row was deleted as an echo.
    """
    ours = sum(
        each.size if each.row is not None and each.row not in stored else each.ours
        for each in of_gap
    )
    return max(0, found - ours)


def _change_of(incoming: Incoming) -> int:
    match incoming.what:
        case IncomingKind.MESSAGE:
            return 0
        case IncomingKind.EDIT:
            return (incoming.edit_date or incoming.date) * _FINGERPRINTS + _fingerprint(incoming)
        case IncomingKind.DELETION:
            return _DELETION
        case IncomingKind.REACTION:
            return -(incoming.date * _FINGERPRINTS + _fingerprint(incoming))


def _fingerprint(incoming: Incoming) -> int:
    """Return what differs within a second between two edits, or a reaction and its removal."""
    return crc32(f"{incoming.is_echo} {incoming.text}".encode()) % _FINGERPRINTS


def _is_left(file: IncomingFile, incoming: Incoming, new: tuple[int, ...]) -> bool:
    return file.message_id in new or file.message_id not in incoming.message_ids
