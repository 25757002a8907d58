"""Why a worker ended, read from what its process left behind."""

from __future__ import annotations

import signal
from enum import StrEnum

from session_worker.contract import ExitCode


class Ending(StrEnum):
    """The end of one worker that nobody asked for."""

    BOOT_FAILED = "boot_failed"
    CRASHED = "worker_crashed"
    FORK_FAILED = "fork_failed"
    FORKSERVER_LOST = "forkserver_lost"
    KILLED = "worker_killed"
    LEASE_OVER = "lease_over"
    LOGGED_IN = "logged_in"
    NEEDS_LOGIN = "needs_login"
    STORE_FAILED = "store_failed"
    UNRESPONSIVE = "worker_unresponsive"


CRASHES = frozenset({Ending.CRASHED, Ending.KILLED, Ending.UNRESPONSIVE})
"""Endings that are held against the number."""


_BY_EXIT_CODE: dict[int, Ending] = {
    ExitCode.BOOT_FAILED: Ending.BOOT_FAILED,
    ExitCode.LOGGED_IN: Ending.LOGGED_IN,
    ExitCode.NEEDS_LOGIN: Ending.NEEDS_LOGIN,
}


def read_exit(code: int | None, *, lease_over: bool) -> Ending:
    """Tell the end from the exit code; negative ones are signals, None is a lost one."""
    if code is None or code == ExitCode.PARENT_GONE:
        return Ending.FORKSERVER_LOST
    if code == ExitCode.LEASE_LOST or (code == -signal.SIGKILL and lease_over):
        return Ending.LEASE_OVER
    if code < 0:
        return Ending.KILLED
    return _BY_EXIT_CODE.get(code, Ending.CRASHED)
