"""How long the supervisor waits for its workers."""

from __future__ import annotations

from dataclasses import dataclass, field

from supervisor.liveness import Patience


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds.

    A worker that hangs is killed long before its lease ends, so the kernel's timer acts only
    when the supervisor itself is frozen.
    """

    beat: float = 0.8
    stalled_after: int = 2
    """Beats without an answer after which a worker is shown as stalled; it is judged a beat later."""
    patience: Patience = field(default_factory=Patience)
    lease: float = 10.0
    leave: float = 5.5
    terminate: float = 1.0
    dump: float = 0.5
    linger: float = 10.0
    """How long a proxy is believed to hold the line of a worker that did not end in order."""
    boot: float = 1.0
    """How long a worker that has not spoken yet keeps the next one from starting."""
