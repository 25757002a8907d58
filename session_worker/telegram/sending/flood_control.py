"""Telegram's limits on sending: what has to wait, and what is reported."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

from session_worker.protocol.contract import Trouble, TroubleCode
from session_worker.telegram.errors import FloodWait, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.telegram.sending.uploads import Ask

WORTH_TELLING = 5.0  # seconds; shorter waits are not reported
SPAM_LIMIT = 3600.0  # seconds without first contacts after PEER_FLOOD, which does not say how long
UNNAMED_WAIT = 30.0  # seconds
SUSPICIONS = frozenset({"PEER_FLOOD", "FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING"})


class Limited(Protocol):
    """Where the limits on sending are reported."""

    def limit(self, trouble: Trouble | None) -> None: ...


class FloodControl:
    """Distinguishes a wait for one chat from a wait for the whole account.

    Telegram does not say which it means. If a second chat is refused while the first still waits,
    the whole account must wait with requests of that kind.
    """

    def __init__(self, account: Limited, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = account
        self._clock = clock
        self._waits: dict[tuple[str, int], float] = {}
        self._pauses: dict[str, float] = {}
        self._spam_until = 0.0
        self._reported_until = 0.0
        self._end: asyncio.TimerHandle | None = None

    @property
    def blocks_first_contacts(self) -> bool:
        """Whether only people who wrote first may be written to."""
        return self.first_contacts_blocked_for > 0

    @property
    def first_contacts_blocked_for(self) -> float:
        """For how many seconds that lasts."""
        return max(0.0, self._spam_until - self._clock())

    async def ask(self, ask: Ask, request: Any, peer_id: int) -> Any:
        """Ask, unless the whole account must wait; learn from the answer."""
        method = type(request).__name__
        left = self._pauses.get(method, 0.0) - self._clock()
        if left > 0:
            raise FloodWait(left, "FLOOD_WAIT")
        try:
            return await ask(request)
        except FloodWait as wait:
            self.record_wait(method, peer_id, wait.seconds)
            raise
        except Refused as refusal:
            if refusal.text in SUSPICIONS:
                self.record_suspicion(refusal.text)
            raise

    def record_wait(self, method: str, peer_id: int, seconds: float | None) -> None:
        """Record a wait that Telegram asked for."""
        now, until = self._clock(), self._clock() + (seconds or UNNAMED_WAIT)
        self._waits = {key: end for key, end in self._waits.items() if end > now}
        others = [
            end for (kind, peer), end in self._waits.items() if kind == method and peer != peer_id
        ]
        if others:
            self._pauses[method] = max(until, *others, self._pauses.get(method, 0.0))
        self._waits[method, peer_id] = until
        if until - now > WORTH_TELLING:
            self._report_limit(until, f"FLOOD_WAIT for {method}")

    def record_suspicion(self, name: str) -> None:
        """Record that Telegram suspects us of sending spam, or has frozen the account."""
        self._spam_until = self._clock() + SPAM_LIMIT
        self._report_limit(self._spam_until, name)

    def close(self) -> None:
        if self._end is not None:
            self._end.cancel()

    def _report_limit(self, until: float, detail: str) -> None:
        if until <= self._reported_until:
            return
        self._reported_until = until
        left = until - self._clock()
        trouble = Trouble(code=TroubleCode.LIMITED, detail=detail, retry_after=left)
        self._account.limit(trouble)
        self.close()
        self._end = asyncio.get_running_loop().call_later(left, self._account.limit, None)
