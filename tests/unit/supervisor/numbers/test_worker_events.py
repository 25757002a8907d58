"""What follows from the events of a worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.contract import (
    KeySaved,
    SessionChanged,
    SessionState,
    Trouble,
    TroubleCode,
)
from session_worker.protocol.login import LoginMoved, LoginStage, WatchQr
from supervisor.config import Config
from supervisor.database.tables import Direction
from supervisor.journal.browsing import Selection
from supervisor.numbers.login_dialog import (
    SIGN_IN,
    ExpectedEvents,
    LoginDialog,
    OneOffSession,
    UnexpectedEvent,
)
from supervisor.numbers.state import LiveState, State
from supervisor.numbers.worker_events import HeardEvents, WorkerEvents
from supervisor.numbers.worker_pool import StartSlot
from supervisor.numbers.worker_records import WorkerRecords
from supervisor.processes.questions import Questions
from tests.support.waiting import PATIENCE
from tests.unit.supervisor.rows import NUMBER, received

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.store.store import Store
    from tests.unit.supervisor.conftest import RecordedDispatcher

KEY = KeySaved(dc_id=2, server_address="149.154.167.51", port=443, auth_key=b"k" * 256)
ONLINE = SessionChanged(state=SessionState.ONLINE)
LOGIN = OneOffSession(SIGN_IN, WatchQr())


class HandledWorker:
    """The events of one worker, with all that they change."""

    def __init__(
        self, records: WorkerRecords, recorded: RecordedDispatcher, one_off: OneOffSession | None
    ) -> None:
        self.live_state = LiveState()
        self.login = LoginDialog()
        self.starting = asyncio.Semaphore(0)
        self.troubles: list[Trouble | None] = []
        self.is_planfix_away = False
        self.handle = WorkerEvents(
            records,
            None if one_off else recorded.dispatcher,
            self.live_state,
            self.login,
            ExpectedEvents(one_off),
            StartSlot(self.starting),
            HeardEvents(recorded.store),
            Questions(PATIENCE),
            report_trouble=self.troubles.append,
            report_planfix=self.report_planfix,
        ).handle

    def report_planfix(self, *, is_away: bool) -> None:
        self.is_planfix_away = is_away


@pytest.fixture
async def records(store: Store, tmp_path: Path) -> WorkerRecords:
    return WorkerRecords(NUMBER, store, Config(tmp_path, tmp_path, 1, "hash", language="en"))


async def serve(
    records: WorkerRecords, recorded: RecordedDispatcher, one_off: OneOffSession | None = None
) -> HandledWorker:
    assignment = await records.make_assignment(one_off)
    await recorded.dispatcher.prepare(assignment.epoch)
    return HandledWorker(records, recorded, one_off)


async def test_batch_is_handled_in_order(
    store: Store, records: WorkerRecords, recorded: RecordedDispatcher
) -> None:
    """Facts, messages and states of one batch are stored and shown, whatever their order."""
    worker = await serve(records, recorded)

    await worker.handle([KEY, received(5), ONLINE, received(6)])

    stored = await store.sessions.load(NUMBER)
    assert stored is not None
    assert stored.auth_key == KEY.auth_key
    entries = await recorded.dispatcher.journal.list(Selection(direction=Direction.IN))
    assert len(entries) == 2
    assert worker.live_state.state is State.ONLINE
    assert not worker.starting.locked()  # the next worker may start


async def test_lost_login_is_forgotten(
    store: Store, records: WorkerRecords, recorded: RecordedDispatcher
) -> None:
    """A key that Telegram has ended is dropped, and the number shows why."""
    worker = await serve(records, recorded)
    trouble = Trouble(code=TroubleCode.REVOKED)

    await worker.handle([KEY, SessionChanged(state=SessionState.NEEDS_LOGIN, trouble=trouble)])

    assert await store.sessions.load(NUMBER) is None
    error = (await store.numbers.get(NUMBER)).last_error
    assert error is not None
    assert error.code == TroubleCode.REVOKED
    assert worker.live_state.state is State.NEEDS_LOGIN
    assert worker.troubles == [trouble]


async def test_login_is_recorded(
    store: Store, records: WorkerRecords, recorded: RecordedDispatcher
) -> None:
    """The audit log names who logged in, and the caller gets the answer."""
    worker = await serve(records, recorded, LOGIN)
    worker.login.who = "client"
    request_id = worker.login.open()

    await worker.handle([LoginMoved(request_id=request_id, stage=LoginStage.LOGGED_IN)])

    assert (await worker.login.wait(request_id)).stage is LoginStage.LOGGED_IN
    [entry] = await store.audit.list(NUMBER, None, 10)
    assert (entry.who, entry.action) == ("client", "logged_in")
    assert worker.live_state.state is State.STARTING


async def test_made_up_event_is_refused(
    records: WorkerRecords, recorded: RecordedDispatcher
) -> None:
    """A login without one, or messages during one, end the worker before anything is stored."""
    ordinary = await serve(records, recorded)
    with pytest.raises(UnexpectedEvent):
        await ordinary.handle([LoginMoved(stage=LoginStage.LOGGED_IN)])

    login = await serve(records, recorded, LOGIN)
    with pytest.raises(UnexpectedEvent):
        await login.handle([received(5)])

    assert await recorded.entries() == ()
