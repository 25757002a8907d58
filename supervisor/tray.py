"""The rows of one direction on their way from the journal to the worker."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from supervisor.errors import DatabaseError, DatabaseUnavailable
from supervisor.store.journal_pending import Besides
from supervisor.window import Window

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

PIECE = 64  # rows read at once
PAUSE = 1.0  # seconds until the database is asked again after a failure

logger = logging.getLogger(__name__)


class Item(Protocol):
    """A row that is handed over behind all others of its lane."""

    @property
    def row(self) -> int: ...
    @property
    def lane(self) -> int: ...


T = TypeVar("T", bound=Item)


class Tray(Generic[T]):
    """Hands over the oldest rows first; new ones directly when all before them are handed over."""

    def __init__(
        self,
        name: str,
        load: Callable[[Besides, int], Awaitable[tuple[Sequence[T], int]]],
        hand: Callable[[T], None],
    ) -> None:
        """Let `load` give the oldest rows besides some, with how many rows it looked at."""
        self._name = name
        self._load = load
        self._hand = hand
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_reading = False
        self._has_missed = False
        self._dropped: set[int] = set()
        self.window = Window()

    @property
    def is_busy(self) -> bool:
        """Whether rows are being read, or are about to be."""
        return self._is_reading or self._wanted.is_set()

    def begin(self) -> None:
        """Hand over everything that waits, a worker having started with nothing."""
        self.window = Window()
        self._wanted.set()
        self._task = asyncio.create_task(self._serve(), name=self._name)

    async def end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def offer(self, item: T) -> None:
        """Take a row that was stored just now."""
        if self._task is None or item.row in self.window.in_flight:
            return
        lane = item.lane
        if not self._is_reading and self.window.is_next(lane) and self.window.takes(lane):
            self._hand_over(item)
        else:
            # What is being read now may not have it: it is read again.
            self._has_missed = True
            self.window.lagging.add(lane)
            self._look()

    def finish(self, rows: Iterable[int]) -> None:
        """Forget rows that are over."""
        for row in rows:
            self.window.remove(row)
            if self._is_reading:
                self._dropped.add(row)
        self._look()

    def read_all(self) -> None:
        """Find out from the database what waits, being no longer sure of it."""
        self._has_missed = True
        self.window.all_may_lag = True
        self._wanted.set()

    def _look(self) -> None:
        if self.window.wants_more():
            self._wanted.set()

    async def _serve(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._catch_up()
            except DatabaseError as exc:
                is_told = isinstance(exc, DatabaseUnavailable)  # once for all, by the database
                level = logging.DEBUG if is_told else logging.WARNING
                logger.log(level, "%s: %s", self._name, exc)
                await self._try_later()
            except Exception:  # the root of the task; without it the number would fall silent
                logger.exception("%s: rows could not be handed over", self._name)
                await self._try_later()

    async def _try_later(self) -> None:
        await asyncio.sleep(PAUSE)
        self._wanted.set()

    async def _catch_up(self) -> None:
        self._is_reading = True
        try:
            while self.window.has_room and not await self._read_piece():
                pass
        finally:
            self._is_reading = False

    async def _read_piece(self) -> bool:
        """Hand over the next rows; return whether nothing is left but what has to wait."""
        window = self.window
        self._has_missed = False
        self._dropped.clear()
        full = window.full_lanes
        rows, looked_at = await self._load(Besides(tuple(window.in_flight), full), PIECE)
        left = set(full)
        for item in rows:
            if item.row in self._dropped:
                continue
            if window.takes(item.lane) and item.lane not in left:
                self._hand_over(item)
            else:
                left.add(item.lane)
        if looked_at < PIECE and not self._has_missed:
            window.all_may_lag = False
            window.lagging = left
            return True
        return False

    def _hand_over(self, item: T) -> None:
        self.window.add(item.row, item.lane)
        self._hand(item)
