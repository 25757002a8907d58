"""What all keepers share, so that hundreds of workers can run on one machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from session_worker.protocol.contract import TroubleCode
from supervisor.config import Timing
from supervisor.numbers.planfix_outages import PlanfixOutages
from supervisor.numbers.restart_policy import MassFailure, RestartPolicy
from supervisor.processes.liveness import SilentWorkers
from supervisor.processes.start_limit import StartLimit
from supervisor.processes.worker_exit import CRASHES, WorkerExit

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_worker.protocol.contract import Trouble
    from supervisor.numbers.restart_policy import Step
    from supervisor.numbers.state import Change
    from supervisor.processes.forkserver import Forkserver


OWN = MassFailure(share=0.0, fewest=10, window=5.0)
SHARED = MassFailure(share=0.0, fewest=1, window=60.0)
"""What is never the fault of one number: all others follow, so the first end tells it."""
SHARED_CAUSES = {
    WorkerExit.FORKSERVER_LOST: "the forkserver is gone, its workers with it",
    WorkerExit.FORK_FAILED: "no worker can be forked",
    WorkerExit.STORE_FAILED: "no worker can start without the database",
    WorkerExit.LEASE_OVER: "the gateway stood still for so long that leases of workers ended",
}

logger = logging.getLogger(__name__)


class ExitLog:
    """Tells ends one by one until they are many of a kind at once."""

    def __init__(self) -> None:
        self._lately: dict[WorkerExit, MassFailure] = {}

    def note(self, number: str, ending: WorkerExit, step: Step, now: float) -> None:
        before = self._lately.get(ending, SHARED if ending in SHARED_CAUSES else OWN)
        self._lately[ending] = after = before.with_failure(number, now)
        was_told = before.is_on(0, now)
        level = logging.DEBUG if after.is_on(0, now) else logging.WARNING
        if not was_told and after.is_on(0, now):
            self._tell_cause(ending, len(after.failures), after.window)
        logger.log(level, "number %s: worker ended: %s; next: %s", number, ending, step)

    def _tell_cause(self, ending: WorkerExit, count: int, window: float) -> None:
        if ending in CRASHES:
            many = "%d workers ended within %g s (%s), so no more are named one by one"
            logger.error(many, count, window, ending)
        elif ending in SHARED_CAUSES:
            logger.error("%s", SHARED_CAUSES[ending])


MOST_AT_LEAST = 3  # numbers in the same trouble, below which each speaks for itself
STARTING_AT_ONCE = 16  # workers between their fork and their first report


@dataclass(slots=True)
class WorkerPool:
    """The source of workers, the rules for them, and the limit on starts at the same time."""

    forkserver: Forkserver
    timing: Timing = field(default_factory=Timing)
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    mass_failure: MassFailure = field(default_factory=MassFailure)
    start_limit: StartLimit = field(default_factory=lambda: StartLimit(STARTING_AT_ONCE))
    random: Random = field(default_factory=Random)
    running: set[str] = field(default_factory=set)
    silent: SilentWorkers = field(default_factory=SilentWorkers)
    planfix_outages: PlanfixOutages = field(default_factory=PlanfixOutages)
    exit_log: ExitLog = field(default_factory=ExitLog)
    cut_off: set[str] = field(default_factory=set)
    report_change: Callable[[Change], None] = lambda _change: None

    def is_braked(self, number: str, ending: WorkerExit, now: float) -> bool:
        """Take note of a crash; return whether so many workers crash that no number is at fault."""
        if ending not in CRASHES:
            return False
        self.mass_failure = self.mass_failure.with_failure(number, now)
        return self.mass_failure.is_on(len(self.running), now)

    def may_kill(self, number: str, *, is_silent: bool) -> bool:
        """Take note of a silent worker; return whether it may be killed if it hangs.

        If many are silent at once, the machine is slow or was frozen. The kernel ends those that
        hang all the same, when their leases are over.
        """
        were_many = self.silent.are_many(len(self.running))
        (self.silent.numbers.add if is_silent else self.silent.numbers.discard)(number)
        are_many = self.silent.are_many(len(self.running))
        if are_many and not were_many:
            count = len(self.silent.numbers)
            logger.error(
                "%d workers do not answer: the machine is slow, so none of them is killed", count
            )
        if were_many and not are_many:
            logger.info("most workers answer again")
        return not are_many

    def leave(self, number: str, url_planfix: str) -> None:
        """Forget what is known of a worker that ended."""
        self.planfix_outages.leave(url_planfix, number)
        self.note_trouble(number, None)
        self.may_kill(number, is_silent=False)

    def note_trouble(self, number: str, trouble: Trouble | None) -> None:
        """Tell once when most numbers can't reach Telegram, once more when they can again."""
        is_cut_off = trouble is not None and trouble.code is TroubleCode.UNREACHABLE
        were_most = self._are_most_cut_off()
        (self.cut_off.add if is_cut_off else self.cut_off.discard)(number)
        are_most = self._are_most_cut_off()
        count = len(self.cut_off)
        if are_most and not were_most:
            logger.error("Telegram can't be reached, %d numbers try again and again", count)
        if were_most and not are_most:
            logger.warning("Telegram can be reached again, %d numbers are to follow", count)

    def _are_most_cut_off(self) -> bool:
        return len(self.cut_off) >= max(MOST_AT_LEAST, len(self.running) / 2)
