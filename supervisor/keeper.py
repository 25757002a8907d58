"""One number's life: its worker is started, watched, then started again or left alone."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, cast

from session_worker.contract import (
    Command,
    EntitiesSeen,
    Event,
    KeySaved,
    PlanfixChanged,
    Pulse,
    SessionChanged,
    SessionState,
    TroubleCode,
    UpdateStateMoved,
)
from session_worker.lease import now
from session_worker.login_message import LoginEvent, LoginFailed, LoginMoved, LoginStage
from session_worker.message import MessageEvent
from supervisor.ending import CRASHES, Ending
from supervisor.errand import OutOfTurn, Turn
from supervisor.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    GatewayError,
    WorkerUnavailable,
)
from supervisor.forkserver import ForkFailed
from supervisor.health import ProcessState, WorkerHealth, is_settled
from supervisor.login_talk import LoginTalk
from supervisor.restart_policy import Park, Proceed, Record, Rest, Restart, Step, next_step
from supervisor.said import cut_after_gaps
from supervisor.shift import Shift
from supervisor.standing import Standing
from supervisor.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from supervisor.desk import Desk
    from supervisor.desks import Desks
    from supervisor.errand import Errand
    from supervisor.fleet import Fleet
    from supervisor.gate import Slot
    from supervisor.ledger import Ledger

STORE_PAUSE = 1.0  # seconds until what could not be stored is tried again
LOST = frozenset({SessionState.NEEDS_LOGIN, SessionState.BANNED})

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps one number running until told to stop; whatever goes wrong with it ends here.

    Its verbs are not for two callers at a time: the gateway lets them in one by one.
    """

    def __init__(self, fleet: Fleet, ledger: Ledger, desks: Desks) -> None:
        self._fleet = fleet
        self._ledger = ledger
        self._desks = desks
        self._desk: Desk | None = None
        self._record = Record()
        self._worker: WorkerProcess | None = None
        self._life: asyncio.Task[None] | None = None
        self.number = ledger.number
        self.standing = Standing()
        self.login = LoginTalk()
        self._errand: Errand | None = None
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

    async def start(self, errand: Errand | None = None) -> None:
        """Begin with a clean slate, after what ran before is gone; an errand comes first."""
        await self.stop()
        self._errand = errand
        self._record = Record()
        self.has_begun = False
        self.standing.show(ProcessState.STARTING)
        self._fleet.running.add(self.number)
        self._life = asyncio.create_task(self._live(), name=f"keeper of {self.number}")

    async def stop(self) -> None:
        """Return when the worker is gone, whatever that takes."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
            self._life = None
        self._fleet.running.discard(self.number)
        self.standing.show(ProcessState.STOPPED)

    def tell(self, command: Command) -> None:
        if self._worker is None:
            raise WorkerUnavailable(self.number)
        self._worker.tell(command)

    async def _live(self) -> None:
        try:
            while await self._take(await self._run()):
                self.standing.show(ProcessState.STARTING)
        except Exception:  # the root of a number: its bug must not reach the others
            logger.exception("number %s: its keeper failed", self.number)
            self.standing.show(ProcessState.PARKED)
        finally:
            self.has_begun = True
            self._fleet.running.discard(self.number)

    async def _run(self) -> Ending:
        """Run one worker from its fork to its end."""
        try:
            await self._wait_for_proxy()
            async with self._fleet.gate.enter() as slot:
                return await self._run_worker(slot)
        except OutOfTurn as exc:
            self._why_parked = str(exc)
            return Ending.BOUNDS_BROKEN
        except DatabaseRefused as exc:
            logger.exception("number %s: the database refused what its worker said", self.number)
            self._why_parked = exc.detail or ""
            return Ending.DATA_REFUSED
        except ForkFailed as exc:
            logger.debug("number %s: no worker could be forked: %s", self.number, exc)
            return Ending.FORK_FAILED
        except DatabaseError as exc:
            if not isinstance(exc, DatabaseUnavailable):  # which is logged once for all
                logger.exception("number %s: the store failed", self.number)
            return Ending.STORE_FAILED
        except Exception:  # beside the worker, so this one number counts it as a crash
            logger.exception("number %s: its worker could not be served", self.number)
            return Ending.CRASHED
        finally:
            self.login.hang_up()

    async def _wait_for_proxy(self) -> None:
        """Give a proxy time to end the line of a worker that was killed: two would cost the login."""
        left = self._line_held_until - now()
        if left > 0:
            self.has_begun = True
            self.standing.show(ProcessState.BACKING_OFF)
            await asyncio.sleep(left)
            self.standing.show(ProcessState.STARTING)

    async def _run_worker(self, slot: Slot) -> Ending:
        timing = self._fleet.timing
        errand, self._errand = self._errand, None
        self._turn, self._why_parked = Turn(errand), ""
        assignment = await self._ledger.brief(errand)
        self._url_planfix = assignment.planfix.url
        self._desk = None if errand else await self._desks.of(self.number)
        if self._desk is not None:
            await self._desk.prepare(assignment.epoch)
        worker = await WorkerProcess.start(self._fleet.forkserver, assignment, timing)
        self._worker, self.has_begun = worker, True
        if errand is not None:
            worker.tell(errand.opening)
        if self._desk is not None:
            self._desk.begin(worker.tell)
        slot.leave_after(timing.boot)
        try:
            hear, is_login = partial(self._hear, slot), errand is not None and errand.is_login
            shift = Shift(worker, timing, hear, may_kill=self._note_silence, is_login=is_login)
            return await shift.serve()
        finally:
            self._heard, self._why_parked = self.last_heard, worker.breach or ""
            self._worker = None
            self._fleet.planfix_outages.leave(self._url_planfix, self.number)
            self._fleet.note_cut_off(self.number, is_cut_off=False)
            self._fleet.may_kill(self.number, is_silent=False)
            if assignment.proxy is not None and not worker.left_in_order:
                self._line_held_until = now() + timing.linger
            if self._desk is not None:
                await self._desk.end()

    def _note_silence(self, is_stalled: bool) -> bool:
        self.standing.stall(is_stalled=is_stalled)
        return self._fleet.may_kill(self.number, is_silent=is_stalled)

    def _decide(self, ending: Ending) -> Step:
        braked = self._fleet.is_braked(self.number, ending, now())
        if ending in {Ending.FORKSERVER_LOST, Ending.LEASE_OVER}:
            self._record = self._record.with_loss(now(), self._fleet.policy.window)
        if ending in CRASHES and not braked:
            self._record = self._record.with_crash(now(), self._fleet.policy.window)
        step = next_step(
            ending, self._record, self._fleet.policy, self._fleet.chance.random(), braked=braked
        )
        self._fleet.ending_log.note(self.number, ending, step, now())
        return step

    async def _take(self, ending: Ending) -> bool:
        """Do what has to follow; return whether to start again."""
        step = self._decide(ending)
        if not isinstance(step, Rest):
            self.standing.show(ProcessState.STARTING)  # online no longer, whatever writing it takes
        match step:
            case Restart(pause):
                await self._note(partial(self._ledger.note_restart, ending))
                if pause:
                    self.standing.show(ProcessState.BACKING_OFF)
                    await asyncio.sleep(pause)
                return True
            case Proceed():
                return True
            case Park():
                await self._note(partial(self._ledger.note_parked, ending, self._why_parked))
                self.standing.show(ProcessState.PARKED)
            case Rest():
                self.standing.rest()
        return False

    async def _hear(self, slot: Slot, events: list[Event]) -> None:
        for are_messages, group in groupby(events, lambda event: isinstance(event, MessageEvent)):
            if are_messages:
                await self._hear_messages(cast("list[MessageEvent]", list(group)))
            else:
                for event in group:
                    await self._hear_one(slot, event)

    async def _hear_messages(self, events: list[MessageEvent]) -> None:
        self._turn.require_messages()
        if self._desk is None:
            return
        for piece in cut_after_gaps(events):
            await self._until_stored(partial(self._desk.take, piece))
        await self._note(partial(self._ledger.note_planfix, events))

    async def _hear_one(self, slot: Slot, event: Event) -> None:
        match event:
            case SessionChanged():
                await self._hear_session(event)
                if is_settled(self.standing.state):
                    slot.leave()
            case KeySaved() | EntitiesSeen() | UpdateStateMoved():
                await self._until_stored(partial(self._ledger.keep, event))
            case PlanfixChanged(is_away=True):
                self._fleet.planfix_outages.begin(self._url_planfix, self.number, self.tell)
            case PlanfixChanged():
                self._fleet.planfix_outages.end(self._url_planfix, self.number)
            case LoginMoved() | LoginFailed():
                await self._hear_login(event)
            case _:
                logger.warning("number %s: no use for a %s", self.number, event.kind)

    async def _hear_login(self, said: LoginEvent) -> None:
        self._turn.require_login(said)
        if isinstance(said, LoginMoved) and said.stage is LoginStage.LOGGED_IN:
            await self._note(partial(self._ledger.note_logged_in, self.login.who))
            # From here on whoever waits waits for the number's next worker.
            self.standing.show(ProcessState.STARTING)
        self.login.hear(said)

    async def _hear_session(self, said: SessionChanged) -> None:
        is_cut_off = said.trouble is not None and said.trouble.code is TroubleCode.UNREACHABLE
        self._fleet.note_cut_off(self.number, is_cut_off=is_cut_off)
        await self._note(partial(self._ledger.note_trouble, said.trouble))
        if said.state in LOST and said.trouble is not None:
            await self._until_stored(partial(self._ledger.note_login_lost, said.trouble))
        self.standing.show(ProcessState.RUNNING, said.state)

    async def _note(self, writing: Callable[[], Awaitable[None]]) -> None:
        """Write down what people read; the number runs on if that fails."""
        try:
            await writing()
        except DatabaseUnavailable as exc:
            logger.debug("number %s: could not be written down: %s", self.number, exc)
        except GatewayError:
            logger.exception("number %s: could not be written down", self.number)

    async def _until_stored(self, storing: Callable[[], Awaitable[None]]) -> None:
        """Store what must not be lost; while the database is away the worker waits with us."""
        while True:
            try:
                return await storing()
            except DatabaseUnavailable as exc:
                logger.debug("number %s: %s", self.number, exc)
            await asyncio.sleep(STORE_PAUSE)
