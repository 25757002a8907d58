"""Keeps one number running: starts its worker, waits for its end, and decides what follows."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from session_worker.process.lease import now
from session_worker.protocol.contract import Command, Pulse
from supervisor.errors import (
    DatabaseError,
    DatabaseRefused,
    DatabaseUnavailable,
    StaleEpoch,
    WorkerUnavailable,
)
from supervisor.numbers.login_dialog import ExpectedEvents, LoginDialog, UnexpectedEvent
from supervisor.numbers.restart_policy import Park, Proceed, Record, Rest, Restart, Step, next_step
from supervisor.numbers.state import LiveState, ProcessState, State, WorkerHealth
from supervisor.numbers.worker_events import WorkerEvents
from supervisor.processes.ageing import Age, Ageing
from supervisor.processes.forkserver import ForkFailed
from supervisor.processes.questions import Questions
from supervisor.processes.worker_exit import WorkerExit
from supervisor.processes.worker_log import WorkerLog
from supervisor.processes.worker_process import WorkerProcess
from supervisor.processes.worker_run import WorkerRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.protocol.bots import Done
    from session_worker.protocol.contract import Assignment
    from supervisor.messages.dispatcher import Dispatcher
    from supervisor.messages.message_service import Dispatchers
    from supervisor.numbers.login_dialog import OneOffSession
    from supervisor.numbers.state import Change
    from supervisor.numbers.worker_events import HeardEvents
    from supervisor.numbers.worker_pool import StartSlot, WorkerPool
    from supervisor.numbers.worker_records import WorkerRecords

REQUEST_PATIENCE = 30.0  # seconds in which a worker carries out what a program asked for

logger = logging.getLogger(__name__)


class Keeper:
    """Keeps one number running until told to stop; no failure of the number leaves its keeper.

    Two callers must not start or stop it at the same time: they hold the lock of `Keepers.lock_of`.
    """

    def __init__(
        self,
        pool: WorkerPool,
        records: WorkerRecords,
        dispatchers: Dispatchers,
        listening: HeardEvents,
    ) -> None:
        self._pool = pool
        self._records = records
        self._dispatchers = dispatchers
        self._listening = listening
        self._record = Record()
        self._worker: WorkerProcess | None = None
        self._life: asyncio.Task[None] | None = None
        self.number = records.number
        self.live_state = LiveState(records.number, self._record_change)
        records.live_state = self.live_state
        self.log = WorkerLog()
        self.login = LoginDialog()
        self.requests: Questions[Done] = Questions(REQUEST_PATIENCE)
        self._one_off: OneOffSession | None = None
        self._why_parked = ""
        self.has_begun = False
        self._last_heard: float | None = None
        self._connection_held_until = 0.0

    @property
    def last_heard(self) -> float | None:
        """When the newest Telegram update came, in seconds since 1970."""
        pulse = self._worker and self._worker.pulse
        return (pulse and pulse.last_heard) or self._last_heard

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
            private=pulse.private,
            loop_lag=pulse.loop_lag,
            queue_depth=pulse.queue_depth,
        )

    async def start(self, one_off: OneOffSession | None = None) -> None:
        """Start afresh once the previous worker is gone; a one-off session runs first."""
        await self.stop()
        self._one_off = one_off
        self._record = Record()
        self.has_begun = False
        self.live_state.show(ProcessState.STARTING)
        self._pool.running.setdefault(self.number, "")
        self._life = asyncio.create_task(self._keep_running(), name=f"keeper of {self.number}")

    async def stop(self) -> None:
        """Return when the worker is gone, however long that takes."""
        if self._life is not None:
            self._life.cancel()
            await asyncio.wait({self._life})
            self._life = None
        self._pool.running.pop(self.number, None)
        with self.live_state.one_change():
            self.live_state.explain(None)
            self.live_state.show(ProcessState.STOPPED)

    def send(self, command: Command) -> None:
        if self._worker is None:
            raise WorkerUnavailable(self.number)
        self._worker.send(command)

    async def ask(self, make: Callable[[int], Command]) -> Done:
        """Ask the worker for something, under the request id with which it answers."""
        if self._worker is None:
            raise WorkerUnavailable(self.number)
        request_id = self.requests.open()
        self._worker.send(make(request_id))
        return await self.requests.wait(request_id)

    async def _keep_running(self) -> None:
        try:
            while await self._follow(await self._run()):
                self.live_state.show(ProcessState.STARTING)
        except Exception:  # the root of a number: its bug must not reach the others
            logger.exception("%s: its keeper failed", self._records.name)
            self.live_state.show(ProcessState.PARKED)
        finally:
            self.has_begun = True
            self._pool.running.pop(self.number, None)

    async def _run(self) -> WorkerExit:
        """Run one worker from its fork to its end."""
        try:
            await self._pool.lease.wait_fresh()
            await self._wait_for_proxy()
            async with self._pool.start_limit.enter() as slot:
                return await self._run_worker(slot)
        except UnexpectedEvent as exc:
            self._why_parked = str(exc)
            return WorkerExit.BOUNDS_BROKEN
        except DatabaseRefused as exc:
            logger.exception("%s: the database refused an event of its worker", self._records.name)
            self._why_parked = exc.detail or ""
            return WorkerExit.DATA_REFUSED
        except (ForkFailed, StaleEpoch) as exc:
            logger.debug("%s: no worker could be started: %s", self._records.name, exc)
            return WorkerExit.FORK_FAILED
        except DatabaseError as exc:
            if not isinstance(exc, DatabaseUnavailable):  # which is logged once for all numbers
                logger.exception("%s: the database failed", self._records.name)
            return WorkerExit.STORE_FAILED
        except Exception:  # a bug of the gateway counts as a crash of this number alone
            logger.exception("%s: its worker could not be served", self._records.name)
            return WorkerExit.CRASHED
        finally:
            self.login.abort()
            self.requests.abort()

    async def _wait_for_proxy(self) -> None:
        """Let a proxy close the connection of a killed worker: Telegram ends a login that has two."""
        left = self._connection_held_until - now()
        if left > 0:
            self.has_begun = True
            self.live_state.show(ProcessState.BACKING_OFF)
            await asyncio.sleep(left)
            self.live_state.show(ProcessState.STARTING)

    async def _run_worker(self, slot: StartSlot) -> WorkerExit:
        one_off, self._one_off = self._one_off, None
        self._why_parked = ""
        assignment = await self._records.make_assignment(one_off)
        self._pool.running[self.number] = self._records.client
        dispatcher = None if one_off else await self._dispatchers.of_next_worker(self.number)
        unheard = await self._listening.find_left(self.number) if assignment.is_bot else ()
        if dispatcher is not None:
            await dispatcher.prepare(assignment.epoch, is_bot=assignment.is_bot)
        pool = self._pool
        worker = await WorkerProcess.start(
            pool.forkserver, assignment, pool.timing, lambda: pool.lease.deadline, self.log
        )
        # Only `run` ends the process, so nothing is awaited before it: an error or a cancellation
        # would leave a process that nobody reaps, and the next worker would start beside it.
        self.log.record(f"process {worker.pid} was started")
        self._worker, self.has_begun = worker, True
        if one_off is not None:
            worker.send(one_off.opening)
        if dispatcher is not None:
            dispatcher.attach_worker(worker.send)
            self._listening.resume(unheard)
        slot.release_after(self._pool.timing.boot)
        try:
            events = WorkerEvents(
                self._records,
                dispatcher,
                self.live_state,
                self.login,
                ExpectedEvents(one_off),
                slot,
                self._listening,
                self.requests,
                report_trouble=partial(self._pool.record_trouble, self.number),
                report_planfix=partial(self._record_planfix, assignment.planfix.url),
            )
            run = WorkerRun(
                worker,
                self._pool.timing,
                events.handle,
                record_unanswered=self._record_unanswered,
                may_kill=self._pool.may_kill,
                is_login=one_off is not None and one_off.is_login,
                ageing=self._ageing_of(dispatcher),
            )
            return await run.run()
        finally:
            self._record_end(worker, assignment)
            if dispatcher is not None:
                await dispatcher.detach_worker()

    def _ageing_of(self, dispatcher: Dispatcher | None) -> Ageing | None:
        """Let a worker that handles messages be replaced in time; one for a login ends by itself."""
        if dispatcher is None:
            return None
        lifetime, chance = self._pool.timing.lifetime, self._pool.random.random()

        def is_quiet() -> bool:
            return self.live_state.state is State.ONLINE and dispatcher.is_quiet

        return Ageing(lifetime, is_quiet, Age(chance))

    def _record_end(self, worker: WorkerProcess, assignment: Assignment) -> None:
        self._last_heard, self._why_parked = self.last_heard, worker.breach or ""
        self._worker = None
        self._pool.leave(self.number, assignment.planfix.url)
        if assignment.proxy is not None and not worker.ended_in_order:
            self._connection_held_until = now() + self._pool.timing.linger

    def _record_change(self, change: Change) -> None:
        self.log.record(change.state, change.cause and change.cause.code)
        self._pool.report_change(change)

    def _record_planfix(self, url: str, *, is_away: bool) -> None:
        self._pool.planfix_outages.record(url, self.number, self.send if is_away else None)

    def _record_unanswered(self, beats: int) -> None:
        self.live_state.stall(is_stalled=beats >= self._pool.timing.stalled_after)
        self._pool.record_silence(self.number, is_silent=beats > 0)

    def _decide(self, ending: WorkerExit) -> Step:
        braked = self._pool.is_braked(self.number, ending, now())
        if not braked:
            self._record = self._record.with_exit(ending, now(), self._pool.policy.window)
        chance = self._pool.random.random()
        step = next_step(ending, self._record, self._pool.policy, chance, braked=braked)
        self._pool.exit_log.record(self._records.name, ending, step, now())
        self.log.record("its process ended", ending)
        return step

    async def _follow(self, ending: WorkerExit) -> bool:
        """Carry out what follows the end of a worker; return whether to start the next one."""
        step = self._decide(ending)
        with self.live_state.one_change():
            await self._show_end(ending, step)
        if isinstance(step, Restart) and step.pause:
            await asyncio.sleep(step.pause)
        return isinstance(step, Restart | Proceed)

    async def _show_end(self, ending: WorkerExit, step: Step) -> None:
        if not isinstance(step, Rest):
            # The number is no longer online, however long it takes to store what follows.
            self.live_state.show(ProcessState.STARTING)
        match step:
            case Restart(pause):
                await self._records.record_restart(ending)
                if pause:
                    self.live_state.show(ProcessState.BACKING_OFF)
            case Proceed():
                pass
            case Park():
                await self._records.record_parked(ending, self._why_parked)
                self.live_state.show(ProcessState.PARKED)
            case Rest():
                self.live_state.rest()
