"""Plans the outgoing messages of a number without blocking the event loop."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from session_worker.formatting.plan import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.outgoing import Attachment, Part

SHORT = 4096  # characters; planning any text of this size takes milliseconds


class Planner:
    """Plans short texts at once and long ones in a thread, one after the other, in call order.

    The event loop answers the beats of all workers, so no text may block it for long. One number
    keeps at most one thread busy.
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
