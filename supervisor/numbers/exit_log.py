"""The log of workers' ends: one line for what befalls many, instead of one for each."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from supervisor.numbers.restart_policy import MassFailure
from supervisor.processes.worker_exit import CRASHES, WorkerExit

if TYPE_CHECKING:
    from supervisor.numbers.restart_policy import Step

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
