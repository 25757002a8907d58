"""The lease of a node, without which its workers may not run."""

from __future__ import annotations

import asyncio
import math

from session_worker.process.lease import now

COMFORTABLE = 0.3  # of NODE_TTL that must be left before something new is begun


class NodeLease:
    """Lets the node's workers live until NODE_TTL has passed since its last beat began."""

    def __init__(self, ttl: float, takeover: float) -> None:
        self.ttl = ttl
        self.takeover = takeover
        self._deadline = now()
        self._renewed = asyncio.Event()

    @property
    def deadline(self) -> float:
        """When the workers have to be gone, in seconds since boot."""
        return self._deadline

    @property
    def is_fresh(self) -> bool:
        """Whether enough of it is left to begin something new."""
        return self._deadline - now() > COMFORTABLE * self.ttl

    def renew(self, began: float) -> None:
        """Count from before the beat was sent, because it is not known when the database received it."""
        self._deadline = max(self._deadline, began + self.ttl)
        self._renewed.set()

    def end(self) -> None:
        """Let nothing more start; what runs ends by itself."""
        self._deadline = min(self._deadline, now())

    async def wait_fresh(self) -> None:
        while not self.is_fresh:
            self._renewed.clear()
            await self._renewed.wait()


class UnlimitedLease(NodeLease):
    """The lease of a gateway that is alone on its data."""

    def __init__(self) -> None:
        super().__init__(math.inf, math.inf)
        self._deadline = math.inf

    @property
    def is_fresh(self) -> bool:
        return True
