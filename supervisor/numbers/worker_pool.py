"""What all keepers share, so that hundreds of workers can run on one machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from session_worker.protocol.contract import TroubleCode
from supervisor.config import Timing
from supervisor.nodes.lease import NodeLease, UnlimitedLease
from supervisor.numbers.exit_log import ExitLog
from supervisor.numbers.planfix_outages import PlanfixOutages
from supervisor.numbers.restart_policy import MassFailure, RestartPolicy
from supervisor.processes.liveness import SilentWorkers
from supervisor.processes.start_limit import StartLimit
from supervisor.processes.worker_exit import CRASHES, WorkerExit

if TYPE_CHECKING:
    from session_worker.protocol.contract import Trouble
    from supervisor.processes.forkserver import Forkserver

logger = logging.getLogger(__name__)

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
    lease: NodeLease = field(default_factory=UnlimitedLease)

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
