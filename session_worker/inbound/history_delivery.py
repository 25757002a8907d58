"""Delivers what was written before the number was connected, chat by chat, beside live traffic."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any, NamedTuple

from session_worker.inbound.albums import Albums
from session_worker.inbound.progress import HistoryProgress, load_progress, save_progress
from session_worker.inbound.receiver import UpdateUnreadable
from session_worker.protocol.messages import Received
from session_worker.telegram.errors import PeerUnknown, Refused
from session_worker.telegram.reading.history import PAGE, Backfill, Last, address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from session_worker.inbound.albums import CompleteMessage
    from session_worker.inbound.receiver import UpdateReceiver
    from session_worker.protocol.chats import ChatSelection
    from session_worker.protocol.messages import Incoming
    from session_worker.session import Outbox
    from session_worker.telegram.reading.chosen_chats import ChosenChats
    from session_worker.telegram.reading.history import Found
    from session_worker.telegram.reading.message_parser import ParsedMessage
    from session_worker.telegram.reading.people import Ask
    from session_worker.telegram.reading.update_parser import UpdateParser
    from session_worker.texts.chat_texts import ChatTexts

ROOM_INTERVAL = 0.05  # seconds between two looks at whether Planfix has caught up

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HistoryOrder:
    """Since when the history is wanted, if at all, and where its progress is kept."""

    since: date | None
    selection: ChatSelection
    path: Path


@dataclass(frozen=True, slots=True)
class HistoryPace:
    """How slowly the history is read, in seconds, and how many of its messages may wait for Planfix."""

    pause: float = 0.2  # between two messages, unless newer ones of their chat wait for them
    page_pause: float = 1.0
    most_waiting: int = 8


class HistorySources(NamedTuple):
    """What the history is read and reported with."""

    ask: Ask
    parser: UpdateParser
    receiver: UpdateReceiver
    chosen: ChosenChats
    outbox: Outbox
    texts: ChatTexts


class HistoryDelivery:
    """Delivers each chat from the wanted day on; new messages wait until their chat's history is through.

    The journal keeps each message once, so a page that is read again after a crash repeats nothing.
    """

    def __init__(
        self,
        order: HistoryOrder,
        sources: HistorySources,
        waiting: Callable[[], int],
        pace: HistoryPace | None = None,
    ) -> None:
        """Let `waiting` say how many messages wait for Planfix."""
        self._order = order
        self._sources = sources
        self._waiting = waiting
        self._pace = pace or HistoryPace()
        self._progress = HistoryProgress()
        self._is_active = False
        self._done: set[int] = set()
        self._held: dict[int, deque[tuple[tuple[int, ...], ParsedMessage]]] = {}
        self._open: set[int] = set()
        self._all_stored = asyncio.Event()
        self._somebody_waits = asyncio.Event()
        self._last_position = 0
        sources.receiver.hold = self._hold

    async def open(self) -> None:
        """Read how far an earlier worker came, before anything new is reported."""
        since = self._order.since
        if since is None:
            return
        known = await asyncio.to_thread(load_progress, self._order.path)
        self._progress = known.begun_with(since, self._order.selection, int(time.time()))
        self._done = set(self._progress.done)
        self._is_active = not self._progress.is_over
        await self._save()

    def record_stored(self, positions: Iterable[int]) -> None:
        """Record which messages of the history are stored; their positions are negative."""
        self._open.difference_update(positions)
        if not self._open:
            self._all_stored.set()

    async def run(self) -> None:
        """Deliver the history, if any is left, and then wait for the end of the session."""
        if self._is_active:
            try:
                await self._deliver()
            except Exception:  # the root of the history: live traffic goes on without it
                logger.exception("the history cannot be delivered")
            while self._held:  # more may be held while this is reported
                await self._release(next(iter(self._held)))
            self._is_active = False
        await asyncio.Event().wait()

    async def _deliver(self) -> None:
        assert self._order.since is not None
        began = datetime.combine(self._order.since, time_of_day.min, UTC)
        receiver, chosen = self._sources.receiver, self._sources.chosen
        last = Last(0, int(began.timestamp()))
        backfill = Backfill(self._sources.ask, receiver.until_answered, last, chosen)
        chats = {
            dialog.peer.user_id: address_of(dialog, entities)
            async for dialog, entities in backfill.dialogs()
        }
        while chats or self._held:
            # Chats in which somebody is writing now come first.
            peer_id = next(iter(self._held or chats))
            address = None if peer_id in self._done else chats.get(peer_id)
            if address is None or await self._deliver_page(backfill, peer_id, address):
                chats.pop(peer_id, None)
                await self._finish(peer_id)
        self._is_active = False
        self._progress.is_over = True
        await self._save()

    async def _deliver_page(self, backfill: Backfill, peer_id: int, address: Any) -> bool:
        """Deliver the next messages of a chat; return whether there are no more."""
        reached = self._progress.reached.get(str(peer_id), 0)
        await asyncio.sleep(self._pace.page_pause)
        try:
            page = await backfill.page(address, reached)
        except (PeerUnknown, Refused) as error:
            logger.warning("the history of a chat cannot be read: %s", error)
            return True
        if page:
            self._progress.reached[str(peer_id)] = await self._deliver_all(backfill, peer_id, page)
            await self._until_stored()
            await self._save()
        return not page

    async def _deliver_all(self, backfill: Backfill, peer_id: int, page: Sequence[Found]) -> int:
        """Deliver messages until a more urgent chat has to go on; return the last one's id.

        An album that may continue on the next page is left to it.
        """
        albums = Albums(self._sources.texts)
        whole: int = page[0].message.id - 1
        for found in page:
            if backfill.last.is_before(found.message):
                for parsed in await self._parsed(found):
                    await self._report(peer_id, albums.add((), parsed, time.monotonic()))
            if albums.next_due is None:
                whole = found.message.id
                if self._held and peer_id not in self._held:
                    return whole
        if len(page) < PAGE:
            await self._report(peer_id, albums.close_all())
            whole = page[-1].message.id
        return whole

    async def _parsed(self, found: Found) -> Sequence[ParsedMessage]:
        parser = self._sources.parser
        try:
            return await self._sources.receiver.read(
                lambda: parser.parse_history(found.message, found.entities)
            )
        except UpdateUnreadable as error:
            logger.warning("message %s is left out of the history: %s", found.message.id, error)
            return ()

    async def _report(self, peer_id: int, messages: Iterable[CompleteMessage]) -> None:
        for each in messages:
            await self._until_room(peer_id)
            self._last_position -= 1
            self._open.add(self._last_position)
            self._all_stored.clear()
            received = Received(
                positions=(self._last_position,), incoming=self._dated(each.incoming)
            )
            await self._sources.outbox.report(received)

    async def _until_room(self, peer_id: int) -> None:
        """Wait until few messages are on their way, so that live ones never wait behind many."""
        most = self._pace.most_waiting
        while len(self._open) >= most or (  # noqa: ASYNC110 - the queue to Planfix announces nothing
            self._waiting() >= most and peer_id not in self._held
        ):
            await asyncio.sleep(ROOM_INTERVAL)
        if peer_id not in self._held:
            self._somebody_waits.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.pause):
                    await self._somebody_waits.wait()

    async def _until_stored(self) -> None:
        if self._open:
            await self._all_stored.wait()

    def _dated(self, incoming: Incoming) -> Incoming:
        """Say when the message was written, unless it is new."""
        if incoming.date >= self._progress.began:
            return incoming
        written = datetime.fromtimestamp(incoming.date, UTC).strftime("%Y-%m-%d %H:%M")
        line = self._sources.texts.history.format(date=written)
        return incoming.changed(text=f"{line}\n{incoming.text}")

    def _hold(self, positions: tuple[int, ...], parsed: ParsedMessage) -> bool:
        """Keep a new message of a chat whose history is not delivered yet."""
        peer_id = parsed.incoming.peer_id
        if not self._is_active or peer_id in self._done:
            return False
        self._held.setdefault(peer_id, deque()).append((positions, parsed))
        self._somebody_waits.set()
        return True

    async def _release(self, peer_id: int) -> None:
        """Report what was held of a chat, in order, and let it go on by itself."""
        held = self._held.get(peer_id, deque())
        while held:
            await self._sources.receiver.report_now(*held.popleft())
        self._held.pop(peer_id, None)
        self._done.add(peer_id)

    async def _finish(self, peer_id: int) -> None:
        await self._release(peer_id)
        self._progress.done.append(peer_id)
        self._progress.reached.pop(str(peer_id), None)
        await self._save()

    async def _save(self) -> None:
        await asyncio.to_thread(save_progress, self._order.path, self._progress)
