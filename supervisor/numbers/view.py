"""Everything shown about a number: its stored data combined with its live state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from session_worker.protocol.contract import TroubleCode
from session_worker.protocol.messages import FailureCode
from supervisor.database.tables import Login, Wanted
from supervisor.governor.budget import Outlook  # noqa: TC001 - as below
from supervisor.journal.values import EMPTY, NONE, ByDirection, Counts
from supervisor.numbers.state import State, Status, WorkerHealth, status_of
from supervisor.processes.worker_exit import WorkerExit
from supervisor.store.values import ChatChoice, LastError  # noqa: TC001 - nodes read a view's types at run time

if TYPE_CHECKING:
    from supervisor.numbers.keeper import Keeper
    from supervisor.store.values import Number


class Attention(StrEnum):
    """Whether a person has to act for a number, or the gateway is dealing with it, or all is well."""

    NEEDS_SOMEBODY = "needs_somebody"
    MENDS_ITSELF = "mends_itself"
    NONE = "none"


_WAITS_FOR_SOMEBODY = frozenset(
    {State.NEEDS_LOGIN, State.NEEDS_CODE, State.NEEDS_PASSWORD, State.BANNED, State.PARKED}
)
_PASSES = frozenset(
    {
        TroubleCode.UNREACHABLE,
        TroubleCode.FAILING,
        TroubleCode.DEAF,
        TroubleCode.LIMITED,
        TroubleCode.PROXY_UNREACHABLE,
        FailureCode.UNAVAILABLE,
        WorkerExit.CRASHED,
        WorkerExit.KILLED,
        WorkerExit.UNRESPONSIVE,
        WorkerExit.FORKSERVER_LOST,
        WorkerExit.LEASE_OVER,
        WorkerExit.STORE_FAILED,
    }
)


def attention_to(state: State, code: str | None) -> Attention:
    """Judge a number by its state and the code of its last error."""
    if state is State.STOPPED:
        return Attention.NONE
    if state in _WAITS_FOR_SOMEBODY or (code is not None and code not in _PASSES):
        return Attention.NEEDS_SOMEBODY
    is_well = code is None and status_of(state) is Status.ONLINE
    return Attention.NONE if is_well else Attention.MENDS_ITSELF


@dataclass(frozen=True, slots=True)
class View:
    """Everything about a number that is shown outside."""

    number: str
    client: str
    state: State
    since: datetime | None
    restarts: int
    last_error: LastError | None
    last_heard: datetime | None = None
    worker: WorkerHealth | None = None
    backlog: ByDirection = EMPTY
    dead: ByDirection = EMPTY
    oldest_waiting: datetime | None = None
    proxy: str | None = None
    deaf_seconds: float = 0.0
    url_planfix: str | None = None
    provider_id: str | None = None
    user_email: str | None = None
    chats: ChatChoice | None = None
    budgets: Outlook | None = None

    @property
    def status(self) -> Status:
        return status_of(self.state)

    @property
    def attention(self) -> Attention:
        """Dead letters need somebody too: they are lost until they are looked at."""
        if self.dead.total:
            return Attention.NEEDS_SOMEBODY
        return attention_to(self.state, self.last_error.code if self.last_error else None)


def view_of(number: Number, keeper: Keeper | None, counts: Counts = NONE) -> View:
    """Combine the stored data, the live state and the counts of messages."""
    at_rest = _at_rest(number, counts)
    if keeper is None:
        return at_rest
    return replace(
        at_rest,
        state=keeper.live_state.state,
        since=_moment(keeper.live_state.since),
        last_heard=_moment(keeper.last_heard or number.heard),
        worker=keeper.worker_health,
        deaf_seconds=keeper.live_state.deaf_seconds,
    )


def _at_rest(number: Number, counts: Counts) -> View:
    """Show a number without a keeper here: another node has it, or it did not run at the last start."""
    return View(
        number=number.number,
        client=number.client,
        state=_resting_state(number),
        since=number.changed,
        restarts=number.restarts,
        last_error=number.last_error,
        last_heard=_moment(number.heard),
        backlog=counts.backlog,
        dead=counts.dead,
        oldest_waiting=counts.oldest_waiting,
        proxy=number.proxy_place,
        url_planfix=number.url_planfix or None,
        provider_id=number.provider_id,
        user_email=number.user_email,
    )


def _resting_state(number: Number) -> State:
    if number.wanted is Wanted.STOPPED:
        return State.STOPPED
    if number.parked is not None:
        return State.PARKED
    return State.BANNED if number.login is Login.BANNED else State.STARTING


def _moment(seconds: float | None) -> datetime | None:
    """Convert seconds since 1970; a moment outside the calendar must not spoil the whole list."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
