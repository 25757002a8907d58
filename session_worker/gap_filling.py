"""Filling a gap in the updates from the history, with a receipt for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.message import GapFilled
from session_worker.telegram.backfill import Backfill, Last

if TYPE_CHECKING:
    from session_worker.heard import Written
    from session_worker.reception import Reception
    from session_worker.session import Outbox
    from session_worker.telegram.listener import Listener
    from session_worker.telegram.message_box import Gap
    from session_worker.telegram.people import Ask

LONGEST_DETAIL = 500  # characters


class GapFilling:
    """Hears what a gap has swallowed, before anything newer is heard."""

    def __init__(self, ask: Ask, listener: Listener, reception: Reception, outbox: Outbox) -> None:
        self._ask = ask
        self._listener = listener
        self._reception = reception
        self._outbox = outbox

    async def fill(self, position: int, gap: Gap, last: Last) -> None:
        """Hand up all messages after the last known one; the last of them ends the gap."""
        await self._reception.finish_albums()
        backfill = Backfill(self._ask, self._reception.patiently, last)
        count = 0
        held: Written | None = None
        async for found in backfill.messages():
            for heard in await self._listener.read(found.message, found.entities):
                count += 1
                held = await self._after(held, heard)
        if held is not None:
            await self._reception.hand_up((position,), held)
        else:
            self._reception.nothing(position)
        await self._reception.finish_albums()
        self._outbox.put(self._receipt(gap, last, count, backfill.unread))

    async def _after(self, held: Written | None, heard: Written) -> Written:
        """Hand up what came before, holding the newest back: it may be the last."""
        if held is not None:
            await self._reception.hand_up((), held)
            if held.incoming.peer_id != heard.incoming.peer_id:
                await self._reception.finish_albums()
        return heard

    def _receipt(self, gap: Gap, last: Last, found: int, unread: list[str]) -> GapFilled:
        return GapFilled(
            pts_from=gap.pts_from,
            pts_to=gap.pts_to,
            began=last.date,
            found=found,
            missing=len(unread),
            detail="; ".join(unread)[:LONGEST_DETAIL],
        )
