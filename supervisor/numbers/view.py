"""Everything shown about a number: its stored data combined with its live state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from supervisor.database.tables import Direction, Login, Wanted
from supervisor.numbers.state import State, Status, WorkerHealth, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supervisor.numbers.keeper import Keeper
    from supervisor.store.values import ChatChoice, LastError, Number


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages wait in each direction."""

    into: int = 0
    out: int = 0


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
    backlog: Backlog = Backlog()
    proxy: str | None = None
    chats: ChatChoice | None = None

    @property
    def status(self) -> Status:
        return status_of(self.state)


def view_of(
    number: Number, keeper: Keeper | None, waiting: Mapping[Direction, int] | None = None
) -> View:
    """Combine the stored data, the live state and the number of messages that wait."""
    counts = waiting or {}
    backlog = Backlog(counts.get(Direction.IN, 0), counts.get(Direction.OUT, 0))
    if keeper is None:
        return _at_rest(number, backlog)
    return View(
        number=number.number,
        client=number.client,
        state=keeper.live_state.state,
        since=_moment(keeper.live_state.since),
        restarts=number.restarts,
        last_error=number.last_error,
        last_heard=_moment(keeper.last_heard),
        worker=keeper.worker_health,
        backlog=backlog,
        proxy=number.proxy_place,
    )


def _at_rest(number: Number, backlog: Backlog) -> View:
    """Show a number without a keeper: it was stopped, parked or banned before the last start."""
    return View(
        number=number.number,
        client=number.client,
        state=_resting_state(number),
        since=number.changed,
        restarts=number.restarts,
        last_error=number.last_error,
        backlog=backlog,
        proxy=number.proxy_place,
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
