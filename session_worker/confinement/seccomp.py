"""Seccomp: the kernel refuses this process the system calls that no worker needs."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from session_worker.confinement.kernel import (
    PR_GET_SECCOMP,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    PR_SET_SECCOMP,
    prctl,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MODE_FILTER = 2
ALLOW, FAIL, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
REFUSE = FAIL | errno.EPERM
# The C library then uses the older call, whose flags the filter can see.
UNKNOWN = FAIL | errno.ENOSYS

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
    """Refuse them from now on, also to threads of this process; raises OSError if that fails."""
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
    """Refuse calls made in the way of another kind of machine, which have other numbers."""
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


MACHINES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
"""What the kernel calls each kind, in the order of the numbers below."""
CALLS_WITH_NEW_NAMES = 0x4000_0000
"""From here on x86_64 counts calls once more, with other arguments (x32)."""

NEEDLESS: dict[str, tuple[int | None, int | None]] = {
    # see or steer other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kcmp": (312, 272),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # become another program or more of them
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    # accept connections
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # create what could mislead a program that reads the folder
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "link": (86, None),
    "linkat": (265, 37),
    "mknod": (133, None),
    "mknodat": (259, 33),
    # change whom a file belongs to or who may read it, which Landlock lets pass
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    # enter another view of the system
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "move_mount": (429, 429),
    "mount_setattr": (442, 442),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    # reach deep into the kernel, where its bugs are
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "iopl": (172, None),
    "ioperm": (173, None),
    # administer the machine
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
}
"""Calls that are refused whatever they ask for."""

NUMBERS = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "ioctl": (16, 29),
    "kill": (62, 129),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "tgkill": (234, 131),
}

CLONE_THREAD = 0x0001_0000
KIND_OF_SOCKET = 0xF
TIOCSTI, TIOCLINUX = 0x5412, 0x541C  # write to the terminal that started the gateway
WHOLE = 0xFFFF_FFFF


class Rule(NamedTuple):
    """What one argument of a call must be, or must not be; 32 bits of it count, as in the kernel."""

    call: str
    argument: int
    values: tuple[int, ...]
    allows: bool = True
    mask: int = WHOLE


def rules(pid: int) -> tuple[Rule, ...]:
    """Make the rules for calls that are allowed with some arguments only, such as our own process id."""
    return (
        Rule("kill", 0, (pid,)),
        Rule("tgkill", 0, (pid,)),
        Rule("prlimit64", 0, (0, pid)),
        Rule("clone", 0, (CLONE_THREAD,), mask=CLONE_THREAD),
        # No local sockets: a process that reached the forkserver's socket could fork any process.
        Rule("socket", 0, (socket.AF_INET, socket.AF_INET6)),
        Rule("socketpair", 1, (socket.SOCK_STREAM,), mask=KIND_OF_SOCKET),
        Rule("prctl", 0, (PR_SET_PDEATHSIG,), allows=False),
        Rule("ioctl", 1, (TIOCSTI, TIOCLINUX), allows=False),
    )
