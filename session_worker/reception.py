"""What comes in from Telegram on its way up to be stored."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Protocol

from session_worker.absence import Absence
from session_worker.albums import Albums
from session_worker.backoff import Backoff
from session_worker.heard import ReadUpTo, Written
from session_worker.message import GapFilled, ReadByContact, Received
from session_worker.telegram.errors import FloodWait, TelegramError, Undecodable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from typing import TypeVar

    from session_worker.albums import Gathered, Patience
    from session_worker.heard import Heard
    from session_worker.session import Outbox
    from session_worker.telegram.updates import CatchUp
    from session_worker.whereabouts import Whereabouts
    from session_worker.words.words import Words

    T = TypeVar("T")

log = logging.getLogger(__name__)


class Ear(Protocol):
    """Understands what an update means."""

    async def listen(self, update: Any) -> Sequence[Heard]: ...


class Source(Protocol):
    """Where updates come from, each of which it wants acknowledged."""

    @property
    def is_behind(self) -> bool: ...

    def acknowledge(self, position: int) -> None: ...


class Reception:
    """Hands up what was heard, in order; says which updates are done with."""

    def __init__(
        self,
        ear: Ear,
        whereabouts: Whereabouts,
        outbox: Outbox,
        words: Words,
        telegram: Source,
        patience: Patience | None = None,
    ) -> None:
        self._ear = ear
        self._whereabouts = whereabouts
        self._outbox = outbox
        self._telegram = telegram
        self._albums = Albums(words, patience)
        self._album_began = asyncio.Event()
        self.absence = Absence()
        self._backoff = Backoff(longest=30.0)

    async def take(self, position: int, update: Any) -> None:
        """Hand up what an update means; one that means nothing is done with at once."""
        try:
            heard = await self.patiently(lambda: self._ear.listen(update))
        except Undecodable as error:
            log.warning("an update is left out, for what it needs can not be decoded: %s", error)
            self._outbox.put(_left_out(update, error))
            heard = ()
        self.absence.count(sum(isinstance(each, Written) for each in heard))
        if not heard:
            self.nothing(position)
        for place, each in enumerate(heard, start=1):
            # Events are stored in order, so the update is stored when its last one is.
            await self.hand_up((position,) if place == len(heard) else (), each)

    async def end_absence(self, position: int, catch_up: CatchUp) -> None:
        """Say how much was caught up with, after all of it has been handed up."""
        await self.finish_albums()
        receipt = self.absence.end(catch_up)
        if receipt is not None:
            self._outbox.put(receipt)
        self.nothing(position)

    def nothing(self, position: int) -> None:
        """Say that there is nothing to store at this position."""
        self._telegram.acknowledge(position)

    async def hand_up(self, positions: tuple[int, ...], heard: Heard) -> None:
        match heard:
            case ReadUpTo():
                await self._outbox.report(
                    ReadByContact(positions=positions, peer_id=heard.peer_id, up_to=heard.up_to)
                )
            case Written():
                await self._report(self._albums.add(positions, heard, time.monotonic()))
                if self._albums.next_due is not None:
                    self._album_began.set()

    async def finish_albums(self) -> None:
        """Hand up what is held back, because nothing more will come."""
        await self._report(self._albums.take_all())

    async def stored(self, positions: Iterable[int]) -> None:
        """Let the place in the updates move on; a restart will not see them again."""
        await self._whereabouts.save()
        for position in positions:
            self._telegram.acknowledge(position)

    async def run(self) -> None:
        """Hand up albums once they are complete."""
        while True:
            await self._album_began.wait()
            self._album_began.clear()
            while (moment := self._albums.next_due) is not None:
                await asyncio.sleep(moment - time.monotonic())
                is_behind = self._telegram.is_behind
                due = self._albums.take_due(time.monotonic(), more_may_come=is_behind)
                await self._report(due)

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until Telegram answers: what follows can't be understood without it."""
        attempt = 0
        while True:
            try:
                return await ask()
            except Undecodable:
                raise
            except TelegramError as error:
                attempt += 1
                wanted = error.seconds if isinstance(error, FloodWait) else None
                pause = self._backoff.pause(attempt, wanted)
                log.info("Telegram does not answer (%s), again in %.0f s", error, pause)
                await asyncio.sleep(pause)

    async def _report(self, gathered: Iterable[Gathered]) -> None:
        for each in gathered:
            await self._outbox.report(Received(positions=each.positions, incoming=each.incoming))


def _left_out(update: Any, error: Undecodable) -> GapFilled:
    pts = getattr(update, "pts", None) or 0
    said = f"{type(update).__name__}: {error}"
    return GapFilled(pts_from=pts, pts_to=pts, began=time.time(), found=0, missing=1, detail=said)
