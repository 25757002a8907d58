"""Plans a number's outgoing messages without keeping the event loop from the other numbers."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from session_worker.formatting.plan import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.messages import Attachment, Part

SHORT = 4096  # characters; planned within milliseconds, whatever they are


class Planner:
    """Plans short texts at once and long ones in a thread, one after the other, in the order of the calls.

    All workers live on the beats of the event loop, so no text may hold it up for long; one number
    keeps one thread busy at most.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def plan(self, text: str, attachments: Sequence[Attachment]) -> tuple[Part, ...]:
        async with self._turn:
            if len(text) <= SHORT:
                return plan(text, attachments, _draw)
            return await asyncio.to_thread(plan, text, attachments, _draw)


def _draw() -> int:
    return secrets.randbits(63) or 1
