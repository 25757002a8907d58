"""The time limits of a connection and the checks of the clock and for deafness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.backoff import Backoff
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
    # An update that is pushed before an answer is processed a moment after it.
    push_grace: float = 1.0
    close_limit: float = 3.0
    # How long a connection to another data centre is kept for the next file.
    idle_limit: float = 60.0
    # How long a proxy may take to close its half of a connection; if it has not, it may hold it
    # this long.
    proxy_close_limit: float = 1.0
    proxy_hold_limit: float = 10.0
    # How long before its expiry a QR code is replaced.
    renew_before: float = 2.0
    # A connection that lasted this long counts as stable: after it, the first attempt is made at
    # once.
    stable_after: float = 20.0
    reconnection: Backoff = Backoff(first=0.3, longest=30.0)  # noqa: RUF009 - it is frozen


def pause_before_poll(unproven: int, timing: ConnectionTiming) -> float:
    """Return the pause before a poll; after polls that proved nothing it starts short again."""
    if unproven == 0:
        return timing.poll_interval
    return Backoff(first=timing.push_grace, longest=timing.poll_interval).pause(
        unproven, jitter=1.0
    )


def pause_before(attempt: int, timing: ConnectionTiming) -> float:
    """Return the pause before connection attempt ``attempt``; the first one is made at once."""
    return timing.reconnection.pause(attempt) if attempt else 0.0


MISSED_BEFORE_DEAF = 2  # a single one may have been only late


@dataclass(slots=True)
class DeafnessCheck:
    """Counts how often updates had to be fetched while none was pushed."""

    _pushes: int = 0
    _missed: int = 0

    def is_deaf_after(self, pushes: int, missed: bool) -> bool:
        """Judge one comparison with Telegram, given the number of pushes on this connection."""
        if pushes != self._pushes:
            self._pushes, self._missed = pushes, 0
        self._missed += missed
        return self._missed >= MISSED_BEFORE_DEAF


# Telegram ignores messages from more than 30 s in the future; half of that leaves time to act.
TOLERANCE = 15.0  # seconds


def clock_trouble(telegram: datetime, here: datetime) -> Trouble | None:
    """Compare the local clock with Telegram's; returns None while the difference is small."""
    ahead = (here - telegram).total_seconds()
    if abs(ahead) <= TOLERANCE:
        return None
    where = "ahead of" if ahead > 0 else "behind"
    return Trouble(
        code=TroubleCode.CLOCK, detail=f"the local clock is {abs(ahead):.0f} s {where} Telegram's"
    )
