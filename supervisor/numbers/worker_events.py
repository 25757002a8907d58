"""What follows from the events of one worker: facts are stored, and the shown state changes."""

from __future__ import annotations

import asyncio
import logging
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
from supervisor.errors import DatabaseUnavailable
from supervisor.journal.worker_report import split_after_gaps
from supervisor.numbers.state import LiveState, ProcessState, is_settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from session_worker.protocol.bots import HeardByBot
    from session_worker.protocol.contract import Trouble
    from supervisor.messages.dispatcher import Dispatcher
    from supervisor.numbers.heard_events import HeardEvents
    from supervisor.numbers.login_dialog import LoginDialog
    from supervisor.numbers.worker_pool import StartSlot
    from supervisor.numbers.worker_records import WorkerRecords
    from supervisor.processes.questions import Questions
    from supervisor.processes.worker_run import ExpectedEvents

STORE_PAUSE = 1.0  # seconds until an event that could not be stored is stored again
LOGIN_LOST = frozenset({SessionState.NEEDS_LOGIN, SessionState.BANNED})

logger = logging.getLogger(__name__)


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
    note_trouble: Callable[[Trouble | None], None]
    note_planfix: PlanfixNotice

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
                self.note_planfix(is_away=is_away)
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
        self.note_trouble(event.trouble)
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
        """Store what a bot has heard; whoever listens to it is told after that."""
        if heard:
            await self._until_stored(partial(self._listening.store, self._records.claim, heard))

    def _confirm(self, positions: tuple[int, ...]) -> None:
        if self._dispatcher is not None:
            self._dispatcher.tell_worker(Stored(positions=positions))

    async def _until_stored(self, store: Callable[[], Awaitable[None]]) -> None:
        """Store what must not be lost; while the database is away, the worker waits with us."""
        while True:
            try:
                return await store()
            except DatabaseUnavailable:  # which is logged once for all numbers
                await asyncio.sleep(STORE_PAUSE)
