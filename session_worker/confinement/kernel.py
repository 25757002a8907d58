"""System calls for which Python has no name."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_GET_SECCOMP = 21
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
PR_SET_MEMORY_MERGE = 67
PR_GET_MEMORY_MERGE = 68

libc = ctypes.CDLL(None, use_errno=True)


def prctl(option: int, value: object = 0, more: object = 0) -> int:
    return checked(libc.prctl(option, _wide(value), _wide(more), _wide(0), _wide(0)))


def syscall(number: int, *values: object) -> int:
    return checked(libc.syscall(ctypes.c_long(number), *map(_wide, values)))


def checked(result: int) -> int:
    """Return the result of a call, or raise the error that it left in errno."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _wide(value: object) -> object:
    """Fill the whole register; by itself, ctypes fills only half of it."""
    return ctypes.c_long(value) if isinstance(value, int) else value
