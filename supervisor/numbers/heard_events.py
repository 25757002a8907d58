"""Hands what bots have heard to whoever listens: one event after the other for each person, none lost."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

from supervisor.errors import DatabaseError, DatabaseUnavailable, NumberUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.bots import HeardByBot
    from supervisor.database.writer import Claim
    from supervisor.store.heard import HeardRow
    from supervisor.store.store import Store

PAUSES = (0.5, 2.0, 10.0, 30.0)
"""Seconds before each further try of an event that nobody could deal with; then it is given up."""

OUTAGE_PAUSE = 1.0  # seconds, while the database is away

logger = logging.getLogger(__name__)

Lane = tuple[str, int]


class Listener(Protocol):
    """Somebody who reacts to what bots hear."""

    async def handle(self, row: HeardRow) -> bool:
        """React; return whether the event is dealt with. The same event may come again."""


class HeardEvents:
    """Stores what workers report, and asks the listeners one after the other."""

    def __init__(self, store: Store, pauses: Sequence[float] = PAUSES) -> None:
        self._rows = store.heard
        self._pauses = pauses
        self._listeners: list[Listener] = []
        self._lanes: dict[Lane, deque[HeardRow]] = {}
        self._tasks: dict[Lane, asyncio.Task[None]] = {}

    def listen(self, listener: Listener) -> None:
        """Ask this listener before those that are there already."""
        self._listeners.insert(0, listener)

    async def store(self, claim: Claim, heard: Sequence[HeardByBot]) -> None:
        """Store events; they are handed to the listeners after that."""
        for row in await self._rows.add(claim, heard):
            self._put(row)

    async def resume(self, bot: str) -> None:
        """Hand over what an earlier process of the gateway has left."""
        held = {row.row for (of, _), lane in self._lanes.items() if of == bot for row in lane}
        for row in await self._rows.open(bot):
            if row.row not in held:
                self._put(row)

    async def stop(self) -> None:
        """Stop handing over; what is left is still stored."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._lanes.clear()

    def forget(self, bot: str) -> None:
        """Drop what an erased bot has heard."""
        for lane in [lane for lane in self._lanes if lane[0] == bot]:
            self._lanes[lane].clear()

    def _put(self, row: HeardRow) -> None:
        lane = (row.bot, row.person)
        if lane in self._lanes:
            self._lanes[lane].append(row)
            return
        self._lanes[lane] = deque([row])
        task = asyncio.create_task(self._run(lane), name=f"heard by {row.bot}")
        self._tasks[lane] = task

    async def _run(self, lane: Lane) -> None:
        queue = self._lanes[lane]
        while queue:
            await self._deal_with(queue[0])
            if queue:
                queue.popleft()
        del self._lanes[lane], self._tasks[lane]

    async def _deal_with(self, row: HeardRow) -> None:
        pauses = iter(self._pauses)
        while True:
            pause: float | None = OUTAGE_PAUSE
            try:
                await self._ask(row)
                await self._rows.close(row.row)
                pause = None
            except NumberUnknown:
                pause = None
            except DatabaseUnavailable:  # which is logged once for all
                pass
            except Exception:  # the root of an event: the next one must not wait for it
                logger.exception("bot %s: event %d could not be dealt with", row.bot, row.row)
                pause = next(pauses, None)
                if pause is None:
                    await self._give_up(row)
            if pause is None:
                return
            await asyncio.sleep(pause)

    async def _ask(self, row: HeardRow) -> None:
        for listener in self._listeners:
            if await listener.handle(row):
                return

    async def _give_up(self, row: HeardRow) -> None:
        try:
            await self._rows.close(row.row)
        except DatabaseError as error:
            logger.warning("bot %s: event %d stays stored: %s", row.bot, row.row, error)
