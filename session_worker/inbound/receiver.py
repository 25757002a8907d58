"""Turns parsed updates into events, in order, and counts what was missed while the number was offline."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import PurePath
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Protocol

from session_worker.backoff import Backoff
from session_worker.inbound.albums import Albums
from session_worker.protocol.messages import GapFilled, ReadByContact, Received
from session_worker.telegram.errors import FloodWait, TelegramError, Undecodable
from session_worker.telegram.reading.message_parser import ParsedMessage, ReadMark

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from typing import TypeVar

    from session_worker.inbound.albums import AlbumTiming, CompleteMessage
    from session_worker.session import Outbox
    from session_worker.telegram.connection.updates import CatchUp
    from session_worker.telegram.reading.message_memory import MessageIndex
    from session_worker.telegram.reading.message_parser import ParsedUpdate
    from session_worker.texts.chat_texts import ChatTexts

    T = TypeVar("T")

logger = logging.getLogger(__name__)


_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class UpdateUnreadable(Exception):
    """Somebody sent values that our code does not expect; it says where, and repeats none of them."""

    def __init__(self, fault: Exception) -> None:
        place = extract_tb(fault.__traceback__)[-1]
        where = f"{PurePath(place.filename).stem}, line {place.lineno}"
        super().__init__(f"{type(fault).__name__} in {where}")


class Parser(Protocol):
    """Says what an update means for Planfix."""

    async def parse(self, update: Any) -> Sequence[ParsedUpdate]: ...


class Source(Protocol):
    """Where updates come from; it wants each of them acknowledged."""

    @property
    def is_behind(self) -> bool: ...

    def acknowledge(self, position: int) -> None: ...


class Hold(Protocol):
    """Keeps a message until its chat may go on, and says whether it did."""

    def __call__(self, positions: tuple[int, ...], parsed: ParsedMessage) -> bool: ...


def _hold_nothing(positions: tuple[int, ...], parsed: ParsedMessage) -> bool:  # noqa: ARG001 - as Hold
    return False


class UpdateReceiver:
    """Reports what was received, in order, and acknowledges the updates that need no storing."""

    def __init__(
        self,
        parser: Parser,
        message_index: MessageIndex,
        outbox: Outbox,
        texts: ChatTexts,
        telegram: Source,
        album_timing: AlbumTiming | None = None,
    ) -> None:
        self._parser = parser
        self._message_index = message_index
        self._outbox = outbox
        self._telegram = telegram
        self._albums = Albums(texts, album_timing)
        self._album_opened = asyncio.Event()
        self.catch_up_counter = CatchUpCounter()
        self.hold: Hold = _hold_nothing
        self._backoff = Backoff(longest=30.0)

    async def receive(self, position: int, update: Any) -> None:
        """Report what an update means; one that means nothing is acknowledged at once."""
        try:
            parsed = await self.read(lambda: self._parser.parse(update))
        except (Undecodable, UpdateUnreadable) as error:
            logger.warning("an update is skipped, because it cannot be read: %s", error)
            self._outbox.put(_skipped_receipt(update, error))
            parsed = ()
        self.catch_up_counter.count(sum(isinstance(each, ParsedMessage) for each in parsed))
        if not parsed:
            self.acknowledge(position)
        for place, each in enumerate(parsed, start=1):
            # Events are stored in order, so an update is stored once its last event is.
            await self.report((position,) if place == len(parsed) else (), each)

    async def end_catch_up(self, position: int, catch_up: CatchUp) -> None:
        """Report how many messages were caught up on, after all of them have been reported."""
        await self.close_albums()
        receipt = self.catch_up_counter.stop(catch_up)
        if receipt is not None:
            self._outbox.put(receipt)
        self.acknowledge(position)

    def acknowledge(self, position: int) -> None:
        """Acknowledge an update from which nothing has to be stored."""
        self._message_index.finish(position)
        self._telegram.acknowledge(position)

    async def report(self, positions: tuple[int, ...], parsed: ParsedUpdate) -> None:
        match parsed:
            case ReadMark():
                await self._outbox.report(
                    ReadByContact(positions=positions, peer_id=parsed.peer_id, up_to=parsed.up_to)
                )
            case ParsedMessage() if self.hold(positions, parsed):
                pass  # it is reported again once what was written before it is
            case ParsedMessage():
                await self.report_now(positions, parsed)

    async def report_now(self, positions: tuple[int, ...], parsed: ParsedMessage) -> None:
        """Report a message even if its chat is held."""
        await self._report_messages(self._albums.add(positions, parsed, time.monotonic()))
        if self._albums.next_due is not None:
            self._album_opened.set()

    async def close_albums(self) -> None:
        """Report what is held back, because nothing more will follow."""
        await self._report_messages(self._albums.close_all())

    async def acknowledge_stored(self, positions: Iterable[int]) -> None:
        """Let the update state move on; a restart will not see these updates again."""
        stored = tuple(positions)
        for position in stored:
            self._message_index.finish(position)
        await self._message_index.save()
        for position in stored:
            self._telegram.acknowledge(position)

    async def run(self) -> None:
        """Report albums once they are complete."""
        while True:
            await self._album_opened.wait()
            self._album_opened.clear()
            while (moment := self._albums.next_due) is not None:
                await asyncio.sleep(moment - time.monotonic())
                is_behind = self._telegram.is_behind
                due = self._albums.close_due(time.monotonic(), more_may_come=is_behind)
                await self._report_messages(due)

    async def read(self, parse: Callable[[], Awaitable[T]]) -> T:
        """Parse what somebody sent; raise UpdateUnreadable if our own code fails on it.

        Without that, the worker would end, and so would the next one: a stranger could silence a number.
        """
        try:
            return await self.until_answered(parse)
        except _FAULTS as fault:
            raise UpdateUnreadable(fault) from fault

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Repeat a request until Telegram answers, because later updates make no sense without it."""
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
                logger.info("Telegram does not answer (%s), next try in %.0f s", error, pause)
                await asyncio.sleep(pause)

    async def _report_messages(self, gathered: Iterable[CompleteMessage]) -> None:
        for each in gathered:
            await self._outbox.report(
                Received(
                    positions=each.positions,
                    incoming=each.incoming,
                    heard=each.heard,
                    is_for_planfix=each.is_for_planfix,
                )
            )


def _skipped_receipt(update: Any, error: Exception) -> GapFilled:
    pts = getattr(update, "pts", None) or 0
    detail = f"{type(update).__name__}: {error}"
    return GapFilled(pts_from=pts, pts_to=pts, began=time.time(), found=0, missing=1, detail=detail)


@dataclass(slots=True)
class CatchUpCounter:
    """Counts messages between the marks that the account puts into its updates."""

    _is_over: bool = True
    _found: int = 0

    def start(self) -> None:
        """Start to count, unless an earlier absence has not been caught up on yet."""
        if self._is_over:
            self._is_over, self._found = False, 0

    def count(self, messages: int) -> None:
        self._found += messages

    def stop(self, catch_up: CatchUp) -> GapFilled | None:
        """Return the receipt, or None if nothing was written in the meantime."""
        self._is_over = True
        if not self._found:
            return None
        return GapFilled(
            pts_from=catch_up.pts_from,
            pts_to=catch_up.pts_to,
            began=catch_up.began,
            found=self._found,
            missing=0,
        )
