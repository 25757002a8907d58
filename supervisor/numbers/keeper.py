"""One number's life: its worker is started, watched, then started again or left alone."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, cast

from session_worker.process.lease import now
from session_worker.protocol.contract import (
    Command,
    EntitiesSeen,
    Event,
    KeySaved,
    PlanfixChanged,
    Pulse,
    SessionChanged,
    SessionState,
    UpdateStateMoved,
)
from session_worker.protocol.login import LoginEvent, LoginFailed, LoginMoved, LoginStage
from session_worker.protocol.messages import MessageEvent
from supervisor.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    GatewayError,
    WorkerUnavailable,
)
from supervisor.journal.worker_report import split_after_gaps
from supervisor.numbers.login_dialog import LoginDialog
from supervisor.numbers.restart_policy import Park, Proceed, Record, Rest, Restart, Step, next_step
from supervisor.numbers.state import LiveState, ProcessState, WorkerHealth, is_settled
from supervisor.processes.forkserver import ForkFailed
from supervisor.processes.worker_exit import WorkerExit
from supervisor.processes.worker_process import WorkerProcess
from supervisor.processes.worker_run import OutOfTurn, Turn, WorkerRun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from supervisor.messages.dispatcher import Dispatcher, Dispatchers
    from supervisor.numbers.worker_pool import WorkerPool
    from supervisor.numbers.worker_records import WorkerRecords
    from supervisor.processes.start_limit import StartSlot
    from supervisor.processes.worker_run import OneOffSession

STORE_PAUSE = 1.0  # seconds until what could not be stored is tried again
LOST = frozenset({SessionState.NEEDS_LOGIN, SessionState.BANNED})

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps one number running until told to stop; whatever goes wrong with it ends here.

    Its verbs are not for two callers at a time: the gateway lets them in one by one.
    """

    def __init__(self, pool: WorkerPool, records: WorkerRecords, dispatchers: Dispatchers) -> None:
        self._pool = pool
        self._records = records
        self._dispatchers = dispatchers
        self._dispatcher: Dispatcher | None = None
        self._record = Record()
        self._worker: WorkerProcess | None = None
        self._life: asyncio.Task[None] | None = None
        self.number = records.number
        self.live_state = LiveState()
        self.login = LoginDialog()
        self._one_off: OneOffSession | None = None
        self._url_planfix = ""
        self._turn = Turn(None)
        self._why_parked = ""
        self.has_begun = False
        self._heard: float | None = None
        self._line_held_until = 0.0

    @property
    def last_heard(self) -> float | None:
        """When the newest Telegram update came, in seconds since 1970."""
        pulse = self._worker and self._worker.pulse
        return (pulse and pulse.last_heard) or self._heard

    @property
    def worker_health(self) -> WorkerHealth | None:
        worker = self._worker
        if worker is None:
            return None
        pulse = worker.pulse or Pulse(beat_id=0, loop_lag=0.0)
        return WorkerHealth(
            pid=worker.pid,
            uptime=time.time() - worker.started,
            memory=pulse.memory,
            merged=pulse.merged,
            loop_lag=pulse.loop_lag,
            queue_depth=pulse.queue_depth,
        )

    async def start(self, one_off: OneOffSession | None = None) -> None:
        """Begin with a clean slate, after what ran before is gone; an errand comes first."""
        await self.stop()
        self._one_off = one_off
        self._record = Record()
        self.has_begun = False
        self.live_state.show(ProcessState.STARTING)
        self._pool.running.add(self.number)
        self._life = asyncio.create_task(self._live(), name=f"keeper of {self.number}")

    async def stop(self) -> None:
        """Return when the worker is gone, whatever that takes."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
            self._life = None
        self._pool.running.discard(self.number)
        self.live_state.show(ProcessState.STOPPED)

    def tell(self, command: Command) -> None:
        if self._worker is None:
            raise WorkerUnavailable(self.number)
        self._worker.tell(command)

    async def _live(self) -> None:
        try:
            while await self._take(await self._run()):
                self.live_state.show(ProcessState.STARTING)
        except Exception:  # the root of a number: its bug must not reach the others
            logger.exception("number %s: its keeper failed", self.number)
            self.live_state.show(ProcessState.PARKED)
        finally:
            self.has_begun = True
            self._pool.running.discard(self.number)

    async def _run(self) -> WorkerExit:
        """Run one worker from its fork to its end."""
        try:
            await self._wait_for_proxy()
            async with self._pool.gate.enter() as slot:
                return await self._run_worker(slot)
        except OutOfTurn as exc:
            self._why_parked = str(exc)
            return WorkerExit.BOUNDS_BROKEN
        except DatabaseRefused as exc:
            logger.exception("number %s: the database refused what its worker said", self.number)
            self._why_parked = exc.detail or ""
            return WorkerExit.DATA_REFUSED
        except ForkFailed as exc:
            logger.debug("number %s: no worker could be forked: %s", self.number, exc)
            return WorkerExit.FORK_FAILED
        except DatabaseError as exc:
            if not isinstance(exc, DatabaseUnavailable):  # which is logged once for all
                logger.exception("number %s: the store failed", self.number)
            return WorkerExit.STORE_FAILED
        except Exception:  # beside the worker, so this one number counts it as a crash
            logger.exception("number %s: its worker could not be served", self.number)
            return WorkerExit.CRASHED
        finally:
            self.login.abort()

    async def _wait_for_proxy(self) -> None:
        """Give a proxy time to end the line of a worker that was killed: two would cost the login."""
        left = self._line_held_until - now()
        if left > 0:
            self.has_begun = True
            self.live_state.show(ProcessState.BACKING_OFF)
            await asyncio.sleep(left)
            self.live_state.show(ProcessState.STARTING)

    async def _run_worker(self, slot: StartSlot) -> WorkerExit:
        timing = self._pool.timing
        one_off, self._one_off = self._one_off, None
        self._turn, self._why_parked = Turn(one_off), ""
        assignment = await self._records.make_assignment(one_off)
        self._url_planfix = assignment.planfix.url
        self._dispatcher = None if one_off else await self._dispatchers.of(self.number)
        if self._dispatcher is not None:
            await self._dispatcher.prepare(assignment.epoch)
        worker = await WorkerProcess.start(self._pool.forkserver, assignment, timing)
        self._worker, self.has_begun = worker, True
        if one_off is not None:
            worker.tell(one_off.opening)
        if self._dispatcher is not None:
            self._dispatcher.attach_worker(worker.tell)
        slot.release_after(timing.boot)
        try:
            hear, is_login = partial(self._hear, slot), one_off is not None and one_off.is_login
            shift = WorkerRun(worker, timing, hear, may_kill=self._note_silence, is_login=is_login)
            return await shift.run()
        finally:
            self._heard, self._why_parked = self.last_heard, worker.breach or ""
            self._worker = None
            self._pool.leave(self.number, assignment.planfix.url)
            if assignment.proxy is not None and not worker.left_in_order:
                self._line_held_until = now() + timing.linger
            if self._dispatcher is not None:
                await self._dispatcher.detach_worker()

    def _note_silence(self, is_stalled: bool) -> bool:
        self.live_state.stall(is_stalled=is_stalled)
        return self._pool.may_kill(self.number, is_silent=is_stalled)

    def _decide(self, ending: WorkerExit) -> Step:
        braked = self._pool.is_braked(self.number, ending, now())
        if not braked:
            self._record = self._record.with_exit(ending, now(), self._pool.policy.window)
        step = next_step(
            ending, self._record, self._pool.policy, self._pool.chance.random(), braked=braked
        )
        self._pool.exit_log.note(self.number, ending, step, now())
        return step

    async def _take(self, ending: WorkerExit) -> bool:
        """Do what has to follow; return whether to start again."""
        step = self._decide(ending)
        if not isinstance(step, Rest):
            self.live_state.show(
                ProcessState.STARTING
            )  # online no longer, whatever writing it takes
        match step:
            case Restart(pause):
                await self._note(partial(self._records.record_restart, ending))
                if pause:
                    self.live_state.show(ProcessState.BACKING_OFF)
                    await asyncio.sleep(pause)
                return True
            case Proceed():
                return True
            case Park():
                await self._note(partial(self._records.record_parked, ending, self._why_parked))
                self.live_state.show(ProcessState.PARKED)
            case Rest():
                self.live_state.rest()
        return False

    async def _hear(self, slot: StartSlot, events: list[Event]) -> None:
        for are_messages, group in groupby(events, lambda event: isinstance(event, MessageEvent)):
            if are_messages:
                await self._hear_messages(cast("list[MessageEvent]", list(group)))
            else:
                for event in group:
                    await self._hear_one(slot, event)

    async def _hear_messages(self, events: list[MessageEvent]) -> None:
        self._turn.require_messages()
        if self._dispatcher is None:
            return
        for piece in split_after_gaps(events):
            await self._until_stored(partial(self._dispatcher.record_events, piece))
        await self._note(partial(self._records.record_planfix, events))

    async def _hear_one(self, slot: StartSlot, event: Event) -> None:
        match event:
            case SessionChanged():
                await self._hear_session(event)
                if is_settled(self.live_state.state):
                    slot.release()
            case KeySaved() | EntitiesSeen() | UpdateStateMoved():
                await self._until_stored(partial(self._records.save, event))
            case PlanfixChanged(is_away=is_away):
                outages, url = self._pool.planfix_outages, self._url_planfix
                outages.note(url, self.number, self.tell if is_away else None)
            case LoginMoved() | LoginFailed():
                await self._hear_login(event)
            case _:
                logger.warning("number %s: no use for a %s", self.number, event.kind)

    async def _hear_login(self, said: LoginEvent) -> None:
        self._turn.require_login(said)
        if isinstance(said, LoginMoved) and said.stage is LoginStage.LOGGED_IN:
            await self._note(partial(self._records.record_logged_in, self.login.who))
            # From here on whoever waits waits for the number's next worker.
            self.live_state.show(ProcessState.STARTING)
        self.login.resolve(said)

    async def _hear_session(self, said: SessionChanged) -> None:
        self._pool.note_trouble(self.number, said.trouble)
        await self._note(partial(self._records.record_trouble, said.trouble))
        if said.state in LOST and said.trouble is not None:
            await self._until_stored(partial(self._records.record_login_lost, said.trouble))
        self.live_state.show(ProcessState.RUNNING, said.state)

    async def _note(self, writing: Callable[[], Awaitable[None]]) -> None:
        """Write down what people read; the number runs on if that fails."""
        try:
            await writing()
        except GatewayError as exc:
            if not isinstance(exc, DatabaseUnavailable):  # which is logged once for all
                logger.exception("number %s: could not be written down", self.number)

    async def _until_stored(self, storing: Callable[[], Awaitable[None]]) -> None:
        """Store what must not be lost; while the database is away the worker waits with us."""
        while True:
            try:
                return await storing()
            except DatabaseUnavailable:  # logged once for all
                await asyncio.sleep(STORE_PAUSE)
