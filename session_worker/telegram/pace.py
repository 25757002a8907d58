"""How patiently the connection of a number is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import random

from session_worker.albums import Patience


@dataclass(frozen=True, slots=True)
class Pace:
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


def pause_before_poll(unproven: int, pace: Pace) -> float:
    """How long to wait before a poll, after so many that proved nothing: first a moment only."""
    if unproven == 0:
        return pace.poll_interval
    return float(min(pace.settle * 2.0 ** (unproven - 1), pace.poll_interval))


def pause_before(attempt: int, pace: Pace, jitter: float | None = None) -> float:
    """How long to wait before connection attempt ``attempt`` (0: the first after a cut)."""
    if attempt == 0:
        return 0.0
    # The exponent is bounded: attempts may run into the thousands during an outage.
    full = min(pace.longest_pause, pace.first_pause * 2.0 ** min(attempt - 1, 16))
    return full * (0.5 + 0.5 * (random() if jitter is None else jitter))  # noqa: S311 - spreads load
