"""How long the supervisor waits for its workers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds.

    A worker that misses its beats is killed before its lease ends, so the kernel's timer
    acts only when the supervisor itself is frozen.
    """

    beat: float = 2.0
    missed_beats: int = 3
    lease: float = 10.0
    leave: float = 5.5
    terminate: float = 1.0
    dump: float = 0.5
    linger: float = 10.0
    """How long a proxy is believed to hold the line of a worker that did not end in order."""
    boot: float = 1.0
    """How long a worker that has not spoken yet keeps the next one from starting."""
