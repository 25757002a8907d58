"""Why a worker ended, read from its exit code."""

from __future__ import annotations

import signal
from enum import StrEnum

from session_worker.protocol.contract import ExitCode


class WorkerExit(StrEnum):
    """Why a worker ended although nobody has stopped its number."""

    BOOT_FAILED = "boot_failed"
    BOUNDS_BROKEN = "bounds_broken"
    CRASHED = "worker_crashed"
    DATA_REFUSED = "data_refused"
    FORK_FAILED = "fork_failed"
    FORKSERVER_LOST = "forkserver_lost"
    KILLED = "worker_killed"
    LEASE_OVER = "lease_over"
    LOGGED_IN = "logged_in"
    NEEDS_LOGIN = "needs_login"
    REPLACED = "replaced"
    STORAGE_FAILING = "storage_failing"
    STORE_FAILED = "store_failed"
    UNRESPONSIVE = "worker_unresponsive"


CRASHES = frozenset({WorkerExit.CRASHED, WorkerExit.KILLED, WorkerExit.UNRESPONSIVE})
"""Reasons that count against the number."""


_BY_EXIT_CODE: dict[int, WorkerExit] = {
    ExitCode.BOOT_FAILED: WorkerExit.BOOT_FAILED,
    ExitCode.NEEDS_LOGIN: WorkerExit.NEEDS_LOGIN,
    ExitCode.STORAGE_FAILING: WorkerExit.STORAGE_FAILING,
}


def read_exit(code: int | None, *, lease_over: bool, is_login: bool) -> WorkerExit:
    """Return the reason behind an exit code, which is negative for a signal and None if it was lost.

    A worker chooses its own exit code. A code that would spare it a restart is therefore believed
    only if we know the reason ourselves: it was to log in, or its lease is over.
    """
    if code is None:
        return WorkerExit.FORKSERVER_LOST
    if lease_over and code in {ExitCode.LEASE_LOST, -signal.SIGKILL}:
        return WorkerExit.LEASE_OVER
    if is_login and code == ExitCode.LOGGED_IN:
        return WorkerExit.LOGGED_IN
    if code < 0:
        return WorkerExit.KILLED
    return _BY_EXIT_CODE.get(code, WorkerExit.CRASHED)
