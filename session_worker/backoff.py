"""How long to wait before something that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from random import random

LONGEST_ASKED = 3600.0  # seconds, the longest wait that the other side may ask for


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses that grow with each attempt, in seconds."""

    first: float = 1.0
    longest: float = 300.0

    def pause(
        self, attempt: int, retry_after: float | None = None, jitter: float | None = None
    ) -> float:
        """Choose the pause after failed attempt number ``attempt``, which starts at 1."""
        # The exponent is bounded, because an outage may take thousands of attempts.
        full = min(self.longest, self.first * 2.0 ** min(max(attempt, 1) - 1, 16))
        spread = random() if jitter is None else jitter  # noqa: S311 - spreads load
        own = full * (0.5 + 0.5 * spread)
        return max(own, self.asked(retry_after))

    def asked(self, retry_after: float | None) -> float:
        """Choose the pause that the other side asks for, if it does."""
        return min(max(retry_after or 0.0, 0.0), LONGEST_ASKED)
