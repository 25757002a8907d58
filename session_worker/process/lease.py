"""The lease of a worker, which the kernel ends at its deadline or with the process it was forked from."""

from __future__ import annotations

import ctypes
import os
import signal
import time

from session_worker.confinement.kernel import PR_SET_NAME, PR_SET_PDEATHSIG, checked, libc, prctl

SIGEV_SIGNAL = 0
TIMER_ABSTIME = 1


def now() -> float:
    """Return the seconds since boot, which count suspend, never jump and are the same in every process."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """Lets the worker live until a deadline, even if it is stopped or stuck in C code."""

    def __init__(self, deadline: float) -> None:
        self._timer = ctypes.c_void_p()
        event = _SignalEvent(None, signal.SIGKILL, SIGEV_SIGNAL)
        checked(
            libc.timer_create(time.CLOCK_BOOTTIME, ctypes.byref(event), ctypes.byref(self._timer))
        )
        self._deadline = 0.0
        self.renew(deadline)

    def renew(self, deadline: float) -> None:
        """Extend the deadline; an older one that arrives late changes nothing."""
        if deadline <= self._deadline:
            return
        seconds = int(deadline)
        value = _TimerValue(
            _TimeSpec(0, 0), _TimeSpec(seconds, int((deadline - seconds) * 1_000_000_000))
        )
        checked(libc.timer_settime(self._timer, TIMER_ABSTIME, ctypes.byref(value), None))
        self._deadline = deadline

    def held(self) -> bool:
        """Whether the worker may still write to Telegram."""
        return now() < self._deadline


def die_with_parent(parent: int) -> bool:
    """Make the kernel kill this process with ``parent``; return False if the parent is already gone."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def name_process(name: str) -> None:
    """Show the number in ps and top; the kernel keeps 15 characters."""
    prctl(PR_SET_NAME, name.encode())


class _SignalEvent(ctypes.Structure):
    """The kernel's struct sigevent."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("pad", ctypes.c_char * 48),
    )


class _TimeSpec(ctypes.Structure):
    """The kernel's struct timespec."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _TimerValue(ctypes.Structure):
    """The kernel's struct itimerspec."""

    _fields_ = (("interval", _TimeSpec), ("value", _TimeSpec))
