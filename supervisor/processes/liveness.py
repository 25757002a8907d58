"""Whether a worker that does not answer hangs, or only waits for the processor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

NANOSECONDS = 1e9
STOPPED = frozenset("Tt")
ON_DISK = "D"


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel says of a process's main thread: seconds it ran, seconds it waited to run."""

    ran: float
    waited: float
    state: str = "S"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a silent worker counts as hung.

    An event loop that is awake answers within milliseconds of processor time, and one that
    sleeps wakes for a beat. So little is needed to judge either; a slow disk is given longer.
    """

    ran: float = 0.3
    idle: float = 0.8
    stopped: float = 0.0
    on_disk: float = 6.0
    unknown: float = 6.0

    def of_boot(self) -> Self:
        """Give a worker that has not answered yet the time to get ready."""
        return replace(self, ran=10 * self.ran, idle=4 * self.idle)


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a worker has not answered, counted only while we were there to listen."""

    began: Usage | None
    lasted: float = 0.0

    def longer(self, seconds: float, most: float) -> Self:
        """Add the time since the last look; what goes beyond `most` was our own delay."""
        return replace(self, lasted=self.lasted + min(seconds, most))

    def is_hang(self, usage: Usage | None, patience: Patience) -> bool:
        """Tell a worker that does nothing, or never ends what it does, from one that gets no turn."""
        if usage is None or self.began is None:
            return self.lasted >= patience.unknown
        if usage.state in STOPPED:
            return self.lasted >= patience.stopped
        ran, waited = usage.ran - self.began.ran, usage.waited - self.began.waited
        most = patience.on_disk if usage.state == ON_DISK else patience.idle
        return ran >= patience.ran or self.lasted - ran - waited >= most


ENDLESS_PATIENCE = Patience(*[float("inf")] * 5)
"""Never takes a worker for hung, as tests need that halt one on purpose."""


@dataclass(slots=True)
class SilentWorkers:
    """The numbers whose workers are silent now: many at once are the machine's fault."""

    share: float = 0.5
    fewest: int = 10
    numbers: set[str] = field(default_factory=set)

    def are_many(self, running: int) -> bool:
        return len(self.numbers) >= max(self.fewest, self.share * running)


def read_usage(pid: int) -> Usage | None:
    """Ask the kernel; None where it keeps no such figures, or the process is gone."""
    folder = Path("/proc", str(pid))
    try:
        ran, waited, _ = (folder / "schedstat").read_bytes().split()
        # The name before the state may hold spaces, so the state is behind its bracket.
        state = (folder / "stat").read_bytes().rpartition(b") ")[2][:1].decode()
    except (OSError, ValueError):
        return None
    return Usage(int(ran) / NANOSECONDS, int(waited) / NANOSECONDS, state)
