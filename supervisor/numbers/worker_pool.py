"""What all keepers share, so that hundreds of workers can run on one machine."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from session_worker.protocol.contract import TroubleCode, WatchPlanfix
from supervisor.config import Timing
from supervisor.nodes.lease import NodeLease, UnlimitedLease
from supervisor.numbers.restart_policy import MassFailure, RestartPolicy
from supervisor.processes.liveness import SilentWorkers
from supervisor.processes.worker_exit import CRASHES, WorkerExit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from session_worker.protocol.contract import Trouble
    from supervisor.numbers.restart_policy import Step
    from supervisor.numbers.state import Change
    from supervisor.processes.forkserver import Forkserver

    Tell = Callable[[WatchPlanfix], None]
    from collections.abc import AsyncIterator


class StartSlot:
    """A place among the workers that are starting; it is released once."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            self._places.release()

    def release_after(self, seconds: float) -> None:
        """Release it after some time even if the worker never reports that it has started."""
        asyncio.get_running_loop().call_later(seconds, self.release)


class StartLimit:
    """Lets only so many workers start at a time."""

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[StartSlot]:
        await self._places.acquire()
        slot = StartSlot(self._places)
        try:
            yield slot
        finally:
            slot.release()


logger = logging.getLogger(__name__)


class PlanfixOutages:
    """While a Planfix account does not answer, lets one of its numbers try often, and the others wait."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Tell]] = {}

    def record(self, url: str, number: str, tell: Tell | None) -> None:
        """Record that a number's Planfix does not answer or, without `tell`, that it answers again."""
        if tell is None:
            self.end(url, number)
        else:
            self.begin(url, number, tell)

    def begin(self, url: str, number: str, tell: Tell) -> None:
        """Record that a number cannot reach its Planfix; tell it whether it is the one that tries."""
        waiting = self._waiting.setdefault(url, {})
        if not waiting:
            logger.warning("Planfix at %s does not answer, messages wait", urlsplit(url).hostname)
        waiting[number] = tell
        tell(WatchPlanfix(is_lookout=next(iter(waiting)) == number))

    def end(self, url: str, number: str) -> None:
        """Let all waiting numbers of an account try, because one of them has reached Planfix."""
        waiting = self._waiting.pop(url, {})
        if waiting:
            host, count = urlsplit(url).hostname, len(waiting)
            logger.warning("Planfix at %s answers again, %d numbers waited", host, count)
        waiting.pop(number, None)
        for tell in waiting.values():
            tell(WatchPlanfix(is_lookout=True, try_now=True))

    def leave(self, url: str, number: str) -> None:
        """Forget a number whose worker ended; if it was the one that tried, another one does."""
        waiting = self._waiting.get(url, {})
        was_lookout = next(iter(waiting), None) == number
        waiting.pop(number, None)
        if not waiting:
            self._waiting.pop(url, None)
        elif was_lookout:
            next(iter(waiting.values()))(WatchPlanfix(is_lookout=True))


OWN = MassFailure(share=0.0, fewest=10, window=5.0)
SHARED = MassFailure(share=0.0, fewest=1, window=60.0)
"""For ends that are never the fault of one number: all others follow, so the first one is reported."""
SHARED_CAUSES = {
    WorkerExit.FORKSERVER_LOST: "the forkserver is gone, its workers with it",
    WorkerExit.FORK_FAILED: "no worker can be forked",
    WorkerExit.STORE_FAILED: "no worker can start without the database",
    WorkerExit.STORAGE_FAILING: "no worker can make its folder, because the disk is full or fails",
    WorkerExit.LEASE_OVER: "the gateway stood still for so long that leases of workers ended",
}


INTENDED = {WorkerExit.REPLACED, WorkerExit.LOGGED_IN}


class ExitLog:
    """Logs the ends of workers one by one, unless there are many of a kind at once."""

    def __init__(self, own: MassFailure = OWN, shared: MassFailure = SHARED) -> None:
        self._own, self._shared = own, shared
        self._lately: dict[WorkerExit, MassFailure] = {}

    def record(self, name: str, ending: WorkerExit, step: Step, now: float) -> None:
        first = self._shared if ending in SHARED_CAUSES else self._own
        before = self._lately.get(ending, first)
        self._lately[ending] = after = before.with_failure(name, now)
        was_told = before.is_on(0, now)
        level = logging.DEBUG if after.is_on(0, now) else logging.WARNING
        if ending in INTENDED:
            level = logging.INFO
        if not was_told and after.is_on(0, now):
            self._log_cause(ending, len(after.failures), after.window)
        logger.log(level, "%s: worker ended: %s; next: %s", name, ending, step)

    def _log_cause(self, ending: WorkerExit, count: int, window: float) -> None:
        if ending in CRASHES:
            many = "%d workers ended within %g s (%s), so no more are named one by one"
            logger.error(many, count, window, ending)
        elif ending in SHARED_CAUSES:
            logger.error("%s", SHARED_CAUSES[ending])


FEWEST_CUT_OFF = 3  # numbers without Telegram that are reported together
STARTING_AT_ONCE = 16  # workers between their fork and their first report


@dataclass(slots=True)
class WorkerPool:
    """The source of workers, the rules for them, and what is known about all of them together."""

    forkserver: Forkserver
    timing: Timing = field(default_factory=Timing)
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    mass_failure: MassFailure = field(default_factory=MassFailure)
    start_limit: StartLimit = field(default_factory=lambda: StartLimit(STARTING_AT_ONCE))
    random: Random = field(default_factory=Random)
    running: dict[str, str] = field(default_factory=dict)
    """The numbers that should run, each with its client."""
    silent: SilentWorkers = field(default_factory=SilentWorkers)
    planfix_outages: PlanfixOutages = field(default_factory=PlanfixOutages)
    exit_log: ExitLog = field(default_factory=ExitLog)
    cut_off: set[str] = field(default_factory=set)
    lease: NodeLease = field(default_factory=UnlimitedLease)
    report_change: Callable[[Change], None] = lambda _change: None
    off_clock: set[str] = field(default_factory=set)

    def is_braked(self, number: str, ending: WorkerExit, now: float) -> bool:
        """Record a crash; return whether so many workers crash that no number is at fault."""
        if ending not in CRASHES:
            return False
        self.mass_failure = self.mass_failure.with_failure(number, now)
        crashed = {who for _, who in self.mass_failure.failures}
        return self.mass_failure.is_on(len(self.running), now) and self._are_of_most_clients(
            crashed
        )

    def record_silence(self, number: str, *, is_silent: bool) -> None:
        """Record whether a worker owes an answer."""
        if is_silent:
            self.silent.numbers.add(number)
        else:
            self.silent.numbers.discard(number)
        if self.silent.are_told and not self._are_many_silent():
            self.silent.are_told = False
            logger.info("most workers answer again")

    def may_kill(self) -> bool:
        """Whether a worker that hangs may be killed.

        If many are silent at once, the machine is slow or was frozen. Workers that hang nevertheless
        are ended by the kernel when their leases are over.
        """
        if not self._are_many_silent():
            return True
        if not self.silent.are_told:
            self.silent.are_told = True
            count = len(self.silent.numbers)
            logger.error(
                "%d workers do not answer: the machine is slow, so none of them is killed", count
            )
        return False

    def leave(self, number: str, url_planfix: str) -> None:
        """Forget what is known of a worker that ended."""
        self.planfix_outages.leave(url_planfix, number)
        self.record_trouble(number, None)
        self.record_silence(number, is_silent=False)

    def record_trouble(self, number: str, trouble: Trouble | None) -> None:
        """Log once when most numbers cannot reach Telegram, and once when they can again."""
        self._record_clock(number, trouble)
        is_cut_off = trouble is not None and trouble.code is TroubleCode.UNREACHABLE
        were_most = self._are_most_cut_off()
        if is_cut_off:
            self.cut_off.add(number)
        else:
            self.cut_off.discard(number)
        are_most = self._are_most_cut_off()
        count = len(self.cut_off)
        if are_most and not were_most:
            logger.error("Telegram cannot be reached, %d numbers try again and again", count)
        if were_most and not are_most:
            logger.warning("Telegram can be reached again, %d numbers are to follow", count)

    def _record_clock(self, number: str, trouble: Trouble | None) -> None:
        """Log once that the clock of the machine is wrong, although each number finds it again and again."""
        was_wrong = bool(self.off_clock)
        if trouble is not None and trouble.code is TroubleCode.CLOCK:
            self.off_clock.add(number)
            if not was_wrong:
                logger.error("the clock of this machine must be set (NTP): %s", trouble.detail)
        else:
            self.off_clock.discard(number)
            if was_wrong and not self.off_clock:
                logger.warning("no number finds the clock of this machine wrong any more")

    def _are_many_silent(self) -> bool:
        silent = self.silent
        return silent.are_many(len(self.running)) and self._are_of_most_clients(silent.numbers)

    def _are_of_most_clients(self, numbers: Iterable[str]) -> bool:
        """Whether the numbers belong to more than half of the clients, one of whom may have many numbers."""
        clients = {self.running[number] for number in numbers if number in self.running}
        return len(clients) > len(set(self.running.values())) / 2

    def _are_most_cut_off(self) -> bool:
        return len(self.cut_off) >= max(FEWEST_CUT_OFF, len(self.running) / 2)
