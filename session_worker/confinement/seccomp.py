"""Seccomp: the kernel refuses this process the system calls that no worker needs."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from functools import cache
from typing import TYPE_CHECKING

from session_worker.confinement.kernel import (
    PR_GET_SECCOMP,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    prctl,
)
from session_worker.confinement.syscall_numbers import (
    CALLS_WITH_NEW_NAMES,
    MACHINES,
    NEEDLESS,
    NUMBERS,
    rules,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_worker.confinement.syscall_numbers import Rule

MODE_FILTER = 2
ALLOW, FAIL, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
REFUSE = FAIL | errno.EPERM
UNKNOWN = (
    FAIL | errno.ENOSYS
)  # the C library then uses the older call, whose flags the filter can see

LOAD, AND, RETURN, IF_EQUAL, IF_AT_LEAST = 0x20, 0x54, 0x06, 0x15, 0x35
CALL, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # offsets in the data that a filter sees


@cache
def is_available() -> bool:
    """Whether the kernel has seccomp, on a machine whose system call numbers we know."""
    try:
        return prctl(PR_GET_SECCOMP) >= 0 and platform.machine() in MACHINES
    except OSError:
        return False


def refuse_needless_calls() -> None:
    """Refuse them from now on, to threads of this process too; raises OSError if that fails."""
    program = b"".join((*_prologue(), *refusals(), *_rule_program(rules(os.getpid())), _end(ALLOW)))
    content = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(content))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.c_char_p(header))


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    """Make an instruction; jumps count the instructions to skip."""
    return struct.pack("=HBBI", code, then, otherwise, value)


def _end(answer: int) -> bytes:
    return _step(RETURN, answer)


def _prologue() -> Iterator[bytes]:
    """Refuse calls of another kind of machine, which have other numbers."""
    yield _step(LOAD, MACHINE)
    yield _step(IF_EQUAL, MACHINES[platform.machine()], then=1)
    yield _end(KILL)
    yield _step(LOAD, CALL)
    yield _step(IF_AT_LEAST, CALLS_WITH_NEW_NAMES, otherwise=1)
    yield _end(UNKNOWN)


@cache
def refusals() -> tuple[bytes, ...]:
    """Make the part of the program that is the same for all workers."""
    column = list(MACHINES).index(platform.machine())
    numbers = [found for each in NEEDLESS.values() if (found := each[column]) is not None]
    unknown = NUMBERS["clone3"][column]
    refused = [_step(IF_EQUAL, number, otherwise=1) + _end(REFUSE) for number in numbers]
    return (*refused, _step(IF_EQUAL, unknown, otherwise=1), _end(UNKNOWN))


def _rule_program(found: Iterable[Rule]) -> Iterator[bytes]:
    column = list(MACHINES).index(platform.machine())
    for rule in found:
        listed, other = (ALLOW, REFUSE) if rule.allows else (REFUSE, ALLOW)
        steps = [_step(LOAD, FIRST_ARGUMENT + 8 * rule.argument), _step(AND, rule.mask)]
        for value in rule.values:
            steps += [_step(IF_EQUAL, value, otherwise=1), _end(listed)]
        steps.append(_end(other))
        yield _step(IF_EQUAL, NUMBERS[rule.call][column], otherwise=len(steps))
        yield from steps
