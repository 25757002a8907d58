"""When a worker that ended is started again: decisions over values, nothing is done here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from supervisor.processes.worker_exit import CRASHES, WorkerExit


@dataclass(frozen=True, slots=True)
class Restart:
    """Start again after a pause in seconds."""

    pause: float


@dataclass(frozen=True, slots=True)
class Proceed:
    """Start the next one at once: the last has done its work."""


@dataclass(frozen=True, slots=True)
class Park:
    """Start only when somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Wait for a login."""


Step = Restart | Proceed | Park | Rest


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often, how fast; durations in seconds."""

    budget: int = 8
    window: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 8.0
    jitter: float = 0.25
    own_fault_pause: float = 1.0
    brake_pause: float = 5.0
    brake_spread: float = 10.0

    def pause_before(self, restart: int, chance: float) -> float:
        """Tell the pause before the n-th restart within the window: none, then ever longer."""
        if restart <= 1:
            return 0.0
        pause = min(self.first_pause * 2.0 ** (restart - 2), self.longest_pause)
        return pause * (1.0 + self.jitter * (2.0 * chance - 1.0))


@dataclass(frozen=True, slots=True)
class Record:
    """When the number's worker crashed within the window, or was lost with all others."""

    crashes: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()

    def with_crash(self, now: float, window: float) -> Self:
        return replace(self, crashes=_recent(self.crashes, now, window))

    def with_exit(self, ending: WorkerExit, now: float, window: float) -> Self:
        """Add an end, if it is of those that count."""
        if ending in CRASHES:
            return self.with_crash(now, window)
        if ending in {WorkerExit.FORKSERVER_LOST, WorkerExit.LEASE_OVER}:
            return replace(self, losses=_recent(self.losses, now, window))
        return self


def _recent(times: tuple[float, ...], now: float, window: float) -> tuple[float, ...]:
    return (*(time for time in times if now - time < window), now)


def next_step(
    ending: WorkerExit, record: Record, policy: RestartPolicy, chance: float, *, braked: bool
) -> Step:
    """Decide after an end that is in the record already if it counts; chance is in [0, 1)."""
    match ending:
        case WorkerExit.NEEDS_LOGIN:
            return Rest()
        case WorkerExit.LOGGED_IN:
            return Proceed()
        case WorkerExit.BOOT_FAILED | WorkerExit.BOUNDS_BROKEN | WorkerExit.DATA_REFUSED:
            return Park()
        case WorkerExit.FORK_FAILED | WorkerExit.STORE_FAILED:
            return Restart(policy.own_fault_pause * (1.0 + chance))
        case WorkerExit.FORKSERVER_LOST | WorkerExit.LEASE_OVER:
            # Not the number's fault, so it is never parked; but what dies on and on is given time.
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
    """Tells the network's failure from a number's: many at once are not each at fault."""

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
