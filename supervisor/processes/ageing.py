"""When a healthy worker is replaced, because it has grown too large or too old."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from supervisor.config import Lifetime


@dataclass(frozen=True, slots=True)
class Age:
    """How long a worker has been over its limits, and why.

    Each worker has a chance of its own in [0, 1), so that those of one start do not end together.
    """

    chance: float
    over_since: float | None = None
    reason: str = ""

    def measured(self, uptime: float, memory: int, lifetime: Lifetime, now: float) -> Self:
        """Add a measurement; a peak that has passed is forgotten."""
        reason = self._reason(uptime, memory, lifetime)
        if not reason:
            return replace(self, over_since=None, reason="")
        since = now if self.over_since is None else self.over_since
        return replace(self, over_since=since, reason=reason)

    def is_over(self, lifetime: Lifetime, now: float, *, is_quiet: bool) -> bool:
        """Whether the worker is replaced now: soon in a quiet moment, later even in the middle of its work."""
        if self.over_since is None:
            return False
        lasted = now - self.over_since
        return lasted >= (lifetime.peak if is_quiet else lifetime.patience)

    def _reason(self, uptime: float, memory: int, lifetime: Lifetime) -> str:
        most_memory = lifetime.memory * self._share(lifetime)
        most_uptime = lifetime.age * self._share(lifetime)
        if memory > most_memory and uptime >= lifetime.shortest:
            return f"it uses {memory >> 20} MB, more than its {int(most_memory) >> 20} MB"
        if uptime > most_uptime:
            return f"it is {uptime / 3600:.0f} hours old"
        return ""

    def _share(self, lifetime: Lifetime) -> float:
        return 1.0 - lifetime.variance * self.chance


@dataclass(slots=True)
class Ageing:
    """The age of one worker; `is_quiet` says whether it has nothing to do now."""

    lifetime: Lifetime
    is_quiet: Callable[[], bool]
    age: Age

    def is_over(self, uptime: float, memory: int, now: float) -> bool:
        self.age = self.age.measured(uptime, memory, self.lifetime, now)
        return self.age.is_over(self.lifetime, now, is_quiet=self.is_quiet())
