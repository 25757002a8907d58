"""What all keepers share, so that hundreds of workers can run on one machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from supervisor.config import Timing
from supervisor.numbers.restart_policy import MassFailure, RestartPolicy
from supervisor.processes.liveness import SilentWorkers
from supervisor.processes.start_limit import StartLimit
from supervisor.processes.worker_exit import CRASHES, WorkerExit

if TYPE_CHECKING:
    from supervisor.processes.forkserver import Forkserver

logger = logging.getLogger(__name__)

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
