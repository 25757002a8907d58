"""Whether a worker that does not answer hangs or only waits for the processor."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from supervisor.config import Patience

NANOSECONDS = 1e9
LONGEST = 1024  # bytes
STOPPED = frozenset("Tt")
ON_DISK = "D"


@dataclass(frozen=True, slots=True)
class Usage:
    """What the kernel reports about a process's main thread: seconds it ran and seconds it waited to run."""

    ran: float
    waited: float
    state: str = "S"


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a worker has owed an answer, counted only while we were able to read one."""

    began: Usage | None
    """What the worker had used when it was asked."""
    lasted: float = 0.0

    def longer(self, seconds: float, most: float) -> Self:
        """Add the time since the last look; anything beyond `most` was our own delay."""
        return replace(self, lasted=self.lasted + min(seconds, most))

    def is_hang(
        self, usage: Usage | None, patience: Patience, *, reports_nothing: bool = False
    ) -> bool:
        """Tell a worker that is stuck or in an endless loop from one that does not get the processor.

        One that still reports events has so much to do that its answer comes late.
        """
        if usage is None or self.began is None:
            return self.lasted >= patience.unknown
        if usage.state in STOPPED:
            return self.lasted >= patience.stopped
        ran, waited = usage.ran - self.began.ran, usage.waited - self.began.waited
        is_starved = reports_nothing and waited >= patience.starved
        enough = patience.ran / 3 if is_starved else patience.ran
        most = patience.on_disk if usage.state == ON_DISK else patience.idle
        return ran >= enough or self.lasted - ran - waited >= most


@dataclass(slots=True)
class SilentWorkers:
    """The numbers whose workers are silent now: if there are many, the machine is at fault."""

    share: float = 0.5
    fewest: int = 10
    numbers: set[str] = field(default_factory=set)
    are_told: bool = False
    """Whether the log says that they are many."""

    def are_many(self, running: int) -> bool:
        return len(self.numbers) >= max(self.fewest, self.share * running)


def read_usage(pid: int) -> Usage | None:
    """Ask the kernel; None if it keeps no such figures or if the process is gone."""
    try:
        ran, waited, _ = _read(f"/proc/{pid}/schedstat").split()
        # The name before the state may contain spaces, so the state is found by the closing bracket.
        state = _read(f"/proc/{pid}/stat").rpartition(b") ")[2][:1].decode()
    except (OSError, ValueError):
        return None
    return Usage(int(ran) / NANOSECONDS, int(waited) / NANOSECONDS, state)


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, LONGEST)
    finally:
        os.close(descriptor)
