"""The time limits of a connection, with the checks of the clock and for deafness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
from session_worker.inbound.albums import Patience
from session_worker.protocol.contract import Trouble, TroubleCode

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ConnectionTiming:
    """Limits and pauses, in seconds."""

    connect_limit: float = 10.0
    request_limit: float = 20.0
    poll_interval: float = 15.0
    poll_limit: float = 6.0
    # What is pushed before an answer is handled a moment after it.
    settle: float = 1.0
    close_limit: float = 3.0
    # How long a line to another data centre is kept for the next file.
    idle_limit: float = 60.0
    # How long a proxy may take to end its half of a line; one that has not may hold it this long.
    part_limit: float = 1.0
    linger: float = 10.0
    # How long before its end a QR code gives way to the next.
    renew_before: float = 2.0
    # A line that lasted this long counts as good: the next cut is met at once again.
    settled_after: float = 20.0
    first_pause: float = 0.3
    longest_pause: float = 30.0
    albums: Patience = field(default_factory=Patience)


def pause_before_poll(unproven: int, timing: ConnectionTiming) -> float:
    """How long to wait before a poll, after so many that proved nothing: first a moment only."""
    if unproven == 0:
        return timing.poll_interval
    return float(min(timing.settle * 2.0 ** (unproven - 1), timing.poll_interval))


def pause_before(attempt: int, timing: ConnectionTiming, jitter: float | None = None) -> float:
    """How long to wait before connection attempt ``attempt`` (0: the first after a cut)."""
    if attempt == 0:
        return 0.0
    backoff = Backoff(first=timing.first_pause, longest=timing.longest_pause)
    return backoff.pause(attempt, jitter=jitter)


MISSED_BEFORE_DEAF = 2  # once may be an update that was only late


@dataclass(slots=True)
class DeafnessCheck:
    """Counts how often something had to be fetched, with nothing heard in between."""

    _pushes: int = 0
    _missed: int = 0

    def is_deaf_after(self, pushes: int, missed: bool) -> bool:
        """Judge one comparison with Telegram, given how many pushes this line has had."""
        if pushes != self._pushes:
            self._pushes, self._missed = pushes, 0
        self._missed += missed
        return self._missed >= MISSED_BEFORE_DEAF


# Telegram ignores messages more than 30 s ahead; half of it leaves time to act.
TOLERANCE = 15.0  # seconds


def clock_trouble(telegram: datetime, here: datetime) -> Trouble | None:
    """Measure the clock here against Telegram's; None while it is good enough."""
    ahead = (here - telegram).total_seconds()
    if abs(ahead) <= TOLERANCE:
        return None
    where = "ahead of" if ahead > 0 else "behind"
    return Trouble(
        code=TroubleCode.CLOCK, detail=f"the clock here is {abs(ahead):.0f} s {where} Telegram's"
    )
