"""Landlock: the kernel opens nothing for this process except what is below the named folders."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from session_worker.confinement.kernel import PR_SET_NO_NEW_PRIVS, prctl, syscall

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every machine
ASK_VERSION = 1
BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR = 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FIRST_RIGHTS = (1 << 13) - 1
READ = READ_FILE | READ_DIR
# Neither links nor pipes nor devices, because the supervisor reads these folders with more rights.
KEEP = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
OF_FILES = READ_FILE | WRITE_FILE | TRUNCATE
BIND_TCP = 1
OTHERS_SOCKETS, OTHERS_SIGNALS = 1, 2


@cache
def version() -> int:
    """Return how much of Landlock the kernel knows; 0 if nothing, or if it is forbidden."""
    try:
        return syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Path) -> None:
    """Leave this process some folders to read and one to write; raises OSError if that fails."""
    content = ruleset_of(version())
    ruleset = syscall(CREATE_RULESET, ctypes.c_char_p(content), len(content), 0)
    try:
        for path in readable:
            with suppress(OSError):  # a folder that does not exist or is closed to us needs no rule
                _allow(ruleset, path, READ)
        _allow(ruleset, writable, KEEP & handled(version()))
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        syscall(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def handled(known: int) -> int:
    """Return every right that a kernel of this version can take away."""
    newer = ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV))
    return FIRST_RIGHTS | sum(right for since, right in newer if known >= since)


def ruleset_of(known: int) -> bytes:
    scoped = OTHERS_SOCKETS | OTHERS_SIGNALS
    fields = [
        handled(known),
        *([BIND_TCP] if known >= 4 else []),
        *([scoped] if known >= 6 else []),
    ]
    return struct.pack(f"={len(fields)}Q", *fields)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= OF_FILES
        rule = struct.pack("=Qi", rights, place)
        syscall(ADD_RULE, ruleset, BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(place)
