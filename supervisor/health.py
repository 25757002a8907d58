"""How a number is: its process on one axis, its session on the other, folded only to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from session_worker.contract import SessionState

if TYPE_CHECKING:
    from supervisor.store.values import LastError


class ProcessState(StrEnum):
    """How the number's process is, as its keeper sees it."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STALLED = "stalled"
    BACKING_OFF = "backing_off"
    PARKED = "parked"
    RESTING = "resting"


class State(StrEnum):
    """How the number is, as it is told to the outside."""

    STARTING = "starting"
    ONLINE = "online"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    DEAF = "deaf"
    NEEDS_LOGIN = "needs_login"
    NEEDS_CODE = "needs_code"
    NEEDS_PASSWORD = "needs_password"  # noqa: S105 - a state, not a secret
    LIMITED = "limited"
    BANNED = "banned"
    BACKING_OFF = "backing_off"
    PARKED = "parked"
    STOPPED = "stopped"


class Status(StrEnum):
    """Whether messages come through."""

    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """A running worker: its process id, seconds it runs, bytes it uses, bytes merged with equal pages."""

    pid: int
    uptime: float
    memory: int
    loop_lag: float
    queue_depth: int
    merged: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Everything about a number that is not in the store; times in seconds since 1970."""

    number: str
    state: State
    since: float
    restarts: int = 0
    last_error: LastError | None = None
    last_heard: float | None = None
    worker: WorkerHealth | None = None

    @property
    def status(self) -> Status:
        return status_of(self.state)


def fold(process: ProcessState, session: SessionState | None) -> State:
    match process:
        case ProcessState.RUNNING:
            return _BY_SESSION[session]
        case ProcessState.STALLED:
            state = _BY_SESSION[session]
            return state if state is State.STARTING else State.STALLED
        case ProcessState.RESTING:
            return State.BANNED if session is SessionState.BANNED else State.NEEDS_LOGIN
        case _:
            return State(process)


def status_of(state: State) -> Status:
    """Online is who is connected, authorised, hears updates; limits on sending change none of it."""
    return Status.ONLINE if state in {State.ONLINE, State.LIMITED} else Status.OFFLINE


def is_settled(state: State) -> bool:
    """Whether the worker has said what became of its start."""
    return state not in {State.STARTING, State.BACKING_OFF}


_BY_SESSION = {
    None: State.STARTING,
    SessionState.CONNECTING: State.STARTING,
    SessionState.ONLINE: State.ONLINE,
    SessionState.RECONNECTING: State.RECONNECTING,
    SessionState.DEAF: State.DEAF,
    SessionState.NEEDS_LOGIN: State.NEEDS_LOGIN,
    SessionState.NEEDS_CODE: State.NEEDS_CODE,
    SessionState.NEEDS_PASSWORD: State.NEEDS_PASSWORD,
    SessionState.LIMITED: State.LIMITED,
    SessionState.BANNED: State.BANNED,
}
