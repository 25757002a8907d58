"""What follows from the events of one worker: facts are stored, the shown state changes, and listeners hear what a bot has heard."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, cast

from session_worker.protocol.bots import Done, Heard
from session_worker.protocol.contract import (
    EntitiesSeen,
    Event,
    KeySaved,
    PlanfixChanged,
    SessionChanged,
    SessionState,
    UpdateStateMoved,
)
from session_worker.protocol.login import LoginEvent, LoginFailed, LoginMoved, LoginStage
from session_worker.protocol.messages import MessageEvent, Received, Stored
from supervisor.errors import DatabaseError, DatabaseUnavailable, NumberUnknown
from supervisor.journal.worker_report import split_after_gaps
from supervisor.numbers.state import LiveState, ProcessState, is_settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from session_worker.protocol.bots import HeardByBot
    from session_worker.protocol.contract import Trouble
    from supervisor.database.writer import Claim
    from supervisor.messages.dispatcher import Dispatcher
    from supervisor.numbers.login_dialog import ExpectedEvents, LoginDialog
    from supervisor.numbers.worker_pool import StartSlot
    from supervisor.numbers.worker_records import WorkerRecords
    from supervisor.processes.questions import Questions
    from supervisor.store.heard import HeardRow
    from supervisor.store.store import Store


PAUSES = (0.5, 2.0, 10.0, 30.0)
"""Seconds before each further try of an event that nobody could deal with; then it is given up."""

OUTAGE_PAUSE = 1.0  # seconds, while the database is away

logger = logging.getLogger(__name__)

Lane = tuple[str, int]


class Listener(Protocol):
    """Reacts to what bots hear."""

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
        self._unsure: set[str] = set()

    def listen(self, listener: Listener) -> None:
        """Ask this listener before all that were added earlier."""
        self._listeners.insert(0, listener)

    async def store(self, claim: Claim, heard: Sequence[HeardByBot]) -> None:
        """Store events; they are handed to the listeners after that."""
        bot = claim.number
        try:
            new = await self._rows.add(claim, heard)
            self.resume(await self.find_left(bot) if bot in self._unsure else new)
            self._unsure.discard(bot)
        except DatabaseError:
            # They may have been stored although we got an error, and would then not be new next time.
            self._unsure.add(bot)
            raise

    async def find_left(self, bot: str) -> list[HeardRow]:
        """Return what is stored and not dealt with yet, unless it is waiting here already."""
        held = {row.row for (of, _), lane in self._lanes.items() if of == bot for row in lane}
        return [row for row in await self._rows.open(bot) if row.row not in held]

    def resume(self, left: Sequence[HeardRow]) -> None:
        """Hand over what is stored."""
        for row in left:
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
            row = queue[0]
            await self._deal_with(row)
            # The row is gone from the queue if its bot was erased meanwhile.
            if queue and queue[0] is row:
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
            except DatabaseUnavailable:  # which is logged once for all numbers
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


STORE_PAUSE = 1.0  # seconds until an event that could not be stored is stored again
LOGIN_LOST = frozenset({SessionState.NEEDS_LOGIN, SessionState.BANNED})


class PlanfixNotice(Protocol):
    """Called when a number's Planfix does not answer, and when it answers again."""

    def __call__(self, *, is_away: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class WorkerEvents:
    """Handles the events of one worker, batch by batch and in order."""

    _records: WorkerRecords
    _dispatcher: Dispatcher | None
    _live_state: LiveState
    _login: LoginDialog
    _expected: ExpectedEvents
    _slot: StartSlot
    _listening: HeardEvents
    _requests: Questions[Done]
    report_trouble: Callable[[Trouble | None], None]
    report_planfix: PlanfixNotice

    async def handle(self, events: list[Event]) -> None:
        for are_messages, group in groupby(events, lambda event: isinstance(event, MessageEvent)):
            if are_messages:
                await self._handle_messages(cast("list[MessageEvent]", list(group)))
            else:
                for event in group:
                    await self._handle_one(event)

    async def _handle_messages(self, events: list[MessageEvent]) -> None:
        self._expected.require_messages()
        if self._dispatcher is None:
            return
        heard = [e.heard for e in events if isinstance(e, Received) and e.heard is not None]
        await self._handle_heard(heard)
        await self._until_stored(partial(self._records.keep_files, events))
        for piece in split_after_gaps(events):
            await self._until_stored(partial(self._dispatcher.record_events, piece))
        await self._records.record_planfix(events)

    async def _handle_one(self, event: Event) -> None:
        match event:
            case SessionChanged():
                await self._handle_session(event)
            case KeySaved() | EntitiesSeen() | UpdateStateMoved():
                await self._until_stored(partial(self._records.save, event))
            case PlanfixChanged(is_away=is_away):
                self.report_planfix(is_away=is_away)
            case LoginMoved() | LoginFailed():
                await self._handle_login(event)
            case Heard(positions=positions, what=what):
                self._expected.require_messages()
                await self._handle_heard([what])
                self._confirm(positions)
            case Done(request_id=request_id):
                self._requests.answer(request_id, event)
            case _:
                logger.warning("%s: a %s is ignored", self._records.name, event.kind)

    async def _handle_session(self, event: SessionChanged) -> None:
        self.report_trouble(event.trouble)
        is_online = event.state is SessionState.ONLINE
        with self._live_state.one_change():
            await self._records.record_trouble(event.trouble, is_online=is_online)
            if event.state in LOGIN_LOST and event.trouble is not None:
                await self._until_stored(partial(self._records.record_login_lost, event.trouble))
            self._live_state.show(ProcessState.RUNNING, event.state)
        if is_settled(self._live_state.state):
            self._slot.release()

    async def _handle_login(self, event: LoginEvent) -> None:
        self._expected.require_login(event)
        if isinstance(event, LoginMoved) and event.stage is LoginStage.LOGGED_IN:
            await self._records.record_logged_in(self._login.who, event.username)
            # From here on, callers wait for the next worker, which runs the number.
            self._live_state.show(ProcessState.STARTING)
        self._login.record(event)

    async def _handle_heard(self, heard: Sequence[HeardByBot]) -> None:
        """Store what a bot has heard; its listeners are told after that."""
        if heard:
            await self._until_stored(partial(self._listening.store, self._records.claim, heard))

    def _confirm(self, positions: tuple[int, ...]) -> None:
        if self._dispatcher is not None:
            self._dispatcher.send_to_worker(Stored(positions=positions))

    async def _until_stored(self, store: Callable[[], Awaitable[None]]) -> None:
        """Store what must not be lost; while the database is away, the worker waits with us."""
        while True:
            try:
                return await store()
            except DatabaseUnavailable:  # which is logged once for all numbers
                await asyncio.sleep(STORE_PAUSE)
