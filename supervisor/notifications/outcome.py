"""The outcome of the message to a recipient, in the words of the API."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from session_worker.failures import EXPIRED, Reason, failure_entry
from supervisor.database.tables import RowState
from supervisor.store.notifications import HANDED_OVER

if TYPE_CHECKING:
    from supervisor.notifications.notice import Rejected
    from supervisor.store.values import Progress


class RecipientState(StrEnum):
    """How far a recipient's message has come."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"


MUTING = frozenset({Reason.BLOCKED_BY_CONTACT, Reason.CONTACT_DELETED})


class Outcome(NamedTuple):
    """What callers see; a message whose id is not known any more has the id 0."""

    state: RecipientState
    message_id: int | None = None
    error: str | None = None

    @property
    def is_final(self) -> bool:
        return self.state is not RecipientState.QUEUED


class Accepted(NamedTuple):
    """A notification that is stored; one that was only tried has no id."""

    id: str | None
    accepted: int
    rejected: tuple[Rejected, ...]


class RecipientOutcome(NamedTuple):
    """The outcome of the message to one recipient."""

    to: str
    peer_id: int
    outcome: Outcome


def outcome_of(progress: Progress) -> Outcome:
    if progress.stored != HANDED_OVER:
        return Outcome(RecipientState(progress.stored), error=progress.error_code)
    match progress.row_state:
        case RowState.DELIVERED:
            return Outcome(RecipientState.SENT, progress.message_id or 0)
        case RowState.DEAD if progress.row_error == EXPIRED:
            return Outcome(RecipientState.EXPIRED)
        case RowState.DEAD:
            return Outcome(RecipientState.FAILED, error=reason_of(progress.row_error or ""))
        case None:  # the journal's row was erased long after it was delivered
            return Outcome(RecipientState.SENT, 0)
        case _:
            return Outcome(RecipientState.QUEUED, error=progress.row_error)


def reason_of(code: str) -> str:
    """Name a failure so that callers can tell the reasons apart; an unknown one keeps its own name."""
    reason = failure_entry(code).reason
    return code.lower() if reason is Reason.UNKNOWN and code else reason.value


def mutes(code: str | None) -> bool:
    """Whether nothing more should be sent to this person until they come back."""
    return failure_entry(code or "").reason in MUTING
