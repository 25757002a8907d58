"""When a worker that ended is started again: pure decisions over values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from session_worker.backoff import Backoff
from supervisor.processes.worker_exit import CRASHES, WorkerExit


@dataclass(frozen=True, slots=True)
class Restart:
    """Start again after a pause in seconds."""

    pause: float


@dataclass(frozen=True, slots=True)
class Proceed:
    """Start the next worker at once, because this one has done its work."""


@dataclass(frozen=True, slots=True)
class Park:
    """Do not start again until an operator or a client asks for it."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait for a login."""


Step = Restart | Proceed | Park | Rest


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often and how fast a worker is started again; durations in seconds."""

    budget: int = 8
    window: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 8.0
    own_fault_pause: float = 1.0
    brake_pause: float = 5.0
    brake_spread: float = 10.0

    def pause_before(self, restart: int, chance: float) -> float:
        """Return the pause before the n-th restart within the window: none, then growing ones."""
        if restart <= 1:
            return 0.0
        backoff = Backoff(first=self.first_pause, longest=self.longest_pause)
        return backoff.pause(restart - 1, jitter=chance)


LOSSES = frozenset({WorkerExit.FORKSERVER_LOST, WorkerExit.LEASE_OVER, WorkerExit.STORAGE_FAILING})
"""Reasons that concern all numbers alike, and so count against none."""


@dataclass(frozen=True, slots=True)
class Record:
    """When the number's worker crashed within the window, or was lost with all others."""

    crashes: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()

    def with_crash(self, now: float, window: float) -> Self:
        return replace(self, crashes=_recent(self.crashes, now, window))

    def with_exit(self, ending: WorkerExit, now: float, window: float) -> Self:
        """Add an end, if it is one of those that count."""
        if ending in CRASHES:
            return self.with_crash(now, window)
        if ending in LOSSES:
            return replace(self, losses=_recent(self.losses, now, window))
        return self


def _recent(times: tuple[float, ...], now: float, window: float) -> tuple[float, ...]:
    return (*(time for time in times if now - time < window), now)


def next_step(
    ending: WorkerExit, record: Record, policy: RestartPolicy, chance: float, *, braked: bool
) -> Step:
    """Decide what follows; a crash is in the record already, and `chance` is in [0, 1)."""
    match ending:
        case WorkerExit.NEEDS_LOGIN:
            return Rest()
        case WorkerExit.LOGGED_IN | WorkerExit.REPLACED:
            return Proceed()
        case WorkerExit.BOOT_FAILED | WorkerExit.BOUNDS_BROKEN | WorkerExit.DATA_REFUSED:
            return Park()
        case WorkerExit.FORK_FAILED | WorkerExit.STORE_FAILED:
            return Restart(policy.own_fault_pause * (1.0 + chance))
        case WorkerExit.FORKSERVER_LOST | WorkerExit.LEASE_OVER | WorkerExit.STORAGE_FAILING:
            # It is not the number's fault, so the number is never parked, but the pauses grow.
            return Restart(policy.pause_before(len(record.losses), chance))
        case WorkerExit.CRASHED | WorkerExit.KILLED | WorkerExit.UNRESPONSIVE:
            return _after_crash(record, policy, chance, braked=braked)


def _after_crash(record: Record, policy: RestartPolicy, chance: float, *, braked: bool) -> Step:
    if braked:
        return Restart(policy.brake_pause + policy.brake_spread * chance)
    crashes = len(record.crashes)
    return Park() if crashes > policy.budget else Restart(policy.pause_before(crashes, chance))


@dataclass(frozen=True, slots=True)
class MassFailure:
    """Tells a common cause from a number's own fault: many workers crash at the same time."""

    share: float = 0.5
    fewest: int = 10
    window: float = 5.0  # seconds
    failures: tuple[tuple[float, str], ...] = field(default=())

    def with_failure(self, number: str, now: float) -> Self:
        recent = tuple(
            (when, who) for when, who in self.failures if now - when < self.window and who != number
        )
        return replace(self, failures=(*recent, (now, number)))

    def is_on(self, running: int, now: float) -> bool:
        recent = sum(now - when < self.window for when, _ in self.failures)
        return recent >= max(self.fewest, self.share * running)
