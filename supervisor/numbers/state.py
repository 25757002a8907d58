"""The shown state of a number, which follows from the states of its process and its session."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from session_worker.protocol.contract import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class ProcessState(StrEnum):
    """The state of the number's process, as its keeper sees it."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STALLED = "stalled"
    BACKING_OFF = "backing_off"
    PARKED = "parked"
    RESTING = "resting"


class State(StrEnum):
    """The state of the number, as it is shown outside."""

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
    """Whether messages get through."""

    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """A running worker; `uptime` and `loop_lag` in seconds, the memory in bytes."""

    pid: int
    uptime: float
    memory: int
    loop_lag: float
    queue_depth: int
    merged: int | None = None
    private: int | None = None


def shown_state(process: ProcessState, session: SessionState | None) -> State:
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
    """Call a number online if it is connected and receives updates, even if sending is limited."""
    return Status.ONLINE if state in {State.ONLINE, State.LIMITED} else Status.OFFLINE


def is_settled(state: State) -> bool:
    """Whether the worker has reported how its start went."""
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


class Cause(NamedTuple):
    """Why a number is not well."""

    code: str
    detail: str = ""


class Change(NamedTuple):
    """A number came into a state, or got another cause of trouble; `at` is in seconds since 1970."""

    number: str
    client: str
    at: float
    state: State
    cause: Cause | None


def _ignore(_change: Change) -> None:
    pass


class LiveState:
    """The states of a number's process and session, whose changes can be waited for."""

    def __init__(self, number: str = "", report: Callable[[Change], None] = _ignore) -> None:
        self._number = number
        self._report_change = report
        self._process = ProcessState.STOPPED
        self._session: SessionState | None = None
        self._changed = asyncio.Event()
        self._cause: Cause | None = None
        self._reported: tuple[State, str | None] = (State.STOPPED, None)
        self._is_held = False
        self._deaf_seconds = 0.0
        self.client = ""
        self.since = time.time()

    @property
    def deaf_seconds(self) -> float:
        """For how long the number was deaf since the gateway started."""
        is_deaf = self.state is State.DEAF
        return self._deaf_seconds + (time.time() - self.since if is_deaf else 0.0)

    @property
    def state(self) -> State:
        return shown_state(self._process, self._session)

    def show(self, process: ProcessState, session: SessionState | None = None) -> None:
        before = self.state
        self._process, self._session = process, session
        if self.state != before:
            if before is State.DEAF:
                self._deaf_seconds += time.time() - self.since
            self.since = time.time()
            self._announce()
        self._report()

    def explain(self, cause: Cause | None) -> None:
        """Record what is wrong with the number, or that nothing is any more."""
        self._cause = cause
        self._report()

    @contextmanager
    def one_change(self) -> Iterator[None]:
        """Report a state and its cause together, although they become known one after the other."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self._report()

    def mute(self) -> None:
        """Report no more changes."""
        self._report_change = _ignore

    def stall(self, *, is_stalled: bool) -> None:
        """Note whether the running process answers; the session's last state still holds."""
        if self._process in {ProcessState.RUNNING, ProcessState.STALLED}:
            process = ProcessState.STALLED if is_stalled else ProcessState.RUNNING
            self.show(process, self._session)

    def rest(self) -> None:
        """Note that the process has ended to wait for a login; the session's last state still holds."""
        self.show(ProcessState.RESTING, self._session)

    async def wait_settled(self, seconds: float) -> State:
        """Wait until the worker has reported how its start went, or for so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while not is_settled(self.state):
                    await self._changed.wait()
        except TimeoutError:
            return self.state
        return self.state

    def _report(self) -> None:
        shown = (self.state, self._cause.code if self._cause else None)
        if self._is_held or shown == self._reported:
            return
        self._reported = shown
        self._report_change(Change(self._number, self.client, time.time(), self.state, self._cause))

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
