"""Why a worker ended, read from what its process left behind."""

from __future__ import annotations

import signal
from enum import StrEnum

from session_worker.protocol.contract import ExitCode


class WorkerExit(StrEnum):
    """The end of one worker that nobody asked for."""

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
    STORE_FAILED = "store_failed"
    UNRESPONSIVE = "worker_unresponsive"


CRASHES = frozenset({WorkerExit.CRASHED, WorkerExit.KILLED, WorkerExit.UNRESPONSIVE})
"""Endings that are held against the number."""


_BY_EXIT_CODE: dict[int, WorkerExit] = {
    ExitCode.BOOT_FAILED: WorkerExit.BOOT_FAILED,
    ExitCode.NEEDS_LOGIN: WorkerExit.NEEDS_LOGIN,
}


def read_exit(code: int | None, *, lease_over: bool, is_login: bool) -> WorkerExit:
    """Tell the end from the exit code; negative ones are signals, None is a lost one.

    The code is the worker's own word, so what would cost it no restart is believed only where we
    know it ourselves: that it was to log in, that its lease is over, that the forkserver is gone.
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
