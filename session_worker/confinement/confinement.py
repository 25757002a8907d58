"""What the kernel takes away from a worker before it reads anything that belongs to its number."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import logging
import os
import resource
import secrets
import stat
import struct
import sysconfig
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from session_worker.confinement import seccomp
from session_worker.confinement.kernel import PR_SET_NO_NEW_PRIVS, prctl, syscall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MEMORY = 1024 * 1024 * 1024  # bytes of address space, including shared libraries
OPEN_FILES = 256  # including connections; about 20 are in use at the busiest
OWN_USER, LANDLOCK, SECCOMP = "a user of its own", "Landlock", "seccomp"
LOCK = "worker.lock"
STANDARD_STREAMS = (0, 1, 2)
HERE = Path()  # the spool, once it is the current folder
RESOLVER = Path("/etc/resolv.conf")
LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_AS: MEMORY,
    resource.RLIMIT_NOFILE: OPEN_FILES,
}

logger = logging.getLogger(__name__)


def close_inherited(keep: int) -> None:
    """Close every file descriptor except the standard streams and one more."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        descriptor = int(name)
        if descriptor not in {*STANDARD_STREAMS, keep}:
            _close(descriptor)


def layers() -> dict[str, bool]:
    """Return, by name, which layers of confinement the system offers."""
    return {
        OWN_USER: has_own_users(),
        LANDLOCK: landlock_version() > 0,
        SECCOMP: seccomp.is_available(),
    }


def get_ready() -> None:
    """Find out in the forkserver what is the same for all workers."""
    if layers()[SECCOMP]:
        seccomp.refusals()
    readable_folders()


def confine(spool: Path) -> None:
    """Leave the worker nothing but its own folder, which becomes the current folder."""
    os.umask(0o077)
    for limit, value in LIMITS.items():
        _lower(limit, value)
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    user = None
    with _as_far_as_possible(OWN_USER):
        user = ensure_owner(spool) if has_own_users() else None
    os.chdir(spool)
    if landlock_version():
        with _as_far_as_possible(LANDLOCK):
            restrict_files(readable_folders(), HERE)
    if user is not None:
        with _as_far_as_possible(OWN_USER):
            become(user)


def seal() -> None:
    """Refuse, from now on, the system calls that only the start of this process needed."""
    if seccomp.is_available():
        with _as_far_as_possible(SECCOMP):
            seccomp.refuse_needless_calls()


def claim_number() -> None:
    """Wait until no other worker of this number is alive, even one that another gateway has started.

    The lock is in the number's folder; the kernel releases it when this process ends.
    """
    descriptor = os.open(LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)


@cache
def readable_folders() -> tuple[Path, ...]:
    """Return the folders that Python reads late and that the C library reads to find a host or the
    local time.
    """
    libraries = {
        sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    # Whole folders, because their files are replaced while workers run.
    system = ("/etc", "/lib", "/lib64", "/usr/lib", "/usr/share/zoneinfo")
    named = {Path(each).resolve() for each in (*libraries, *system)}
    found = {Path(__file__).resolve().parents[1], RESOLVER.resolve().parent, *named}
    return tuple(each for each in found if found.isdisjoint(each.parents))


@contextmanager
def _as_far_as_possible(layer: str) -> Iterator[None]:
    """Let a worker run without one layer, because each is only a second line of defence."""
    try:
        yield
    except OSError as exc:
        logger.warning("the worker runs without %s: %s", layer, exc)


def _lower(limit: int, value: int) -> None:
    """Set a limit that cannot be raised again, unless it is already lower."""
    _, ceiling = resource.getrlimit(limit)
    if ceiling != resource.RLIM_INFINITY:
        value = min(value, ceiling)
    resource.setrlimit(limit, (value, value))


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # the descriptor that listed the folder is closed already
        return


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
def landlock_version() -> int:
    """Return how much of Landlock the kernel knows; 0 if nothing, or if it is forbidden."""
    try:
        return syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    except OSError:
        return 0


def restrict_files(readable: Iterable[Path], writable: Path) -> None:
    """Leave this process some folders to read and one to write; raises OSError if that fails."""
    content = ruleset_of(landlock_version())
    ruleset = syscall(CREATE_RULESET, ctypes.c_char_p(content), len(content), 0)
    try:
        for path in readable:
            with suppress(OSError):  # a folder that does not exist or is closed to us needs no rule
                _allow(ruleset, path, READ)
        _allow(ruleset, writable, KEEP & handled(landlock_version()))
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


# The range that systemd's list of users leaves free: https://systemd.io/UIDS-GIDS
USERS = range(0x7000_0000, 0x7FFF_FFFF)
# CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID: needed to create such a user and to control it
NEEDED = sum(1 << capability for capability in (0, 1, 3, 5, 6, 7))
STATUS, MAPPED = Path("/proc/self/status"), Path("/proc/self/uid_map")


@cache
def has_own_users() -> bool:
    """Whether this process is really root, in a system that has room for such users."""
    try:
        return os.geteuid() == 0 and is_able(STATUS.read_text()) and has_room(MAPPED.read_text())
    except OSError:
        return False


def ensure_owner(folder: Path) -> int:
    """Return the user of a number's folder, and choose one if it has none yet."""
    if (owner := folder.stat().st_uid) in USERS:
        return owner
    with _one_at_a_time(folder.parent):
        if (owner := folder.stat().st_uid) in USERS:
            return owner
        user = _choose_user(folder.parent)
        _change_owner(folder, user)
        return user


def become(user: int) -> None:
    """Give up being root for good; this clears the parent-death signal."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def is_able(status: str) -> bool:
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["CapEff"], 16) & NEEDED == NEEDED


def has_room(mapped: str) -> bool:
    """Whether a container's map of users covers the users that we need."""
    rows = [[int(word) for word in line.split()] for line in mapped.splitlines()]
    return any(first <= USERS[0] and USERS[-1] < first + count for first, _, count in rows)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _choose_user(folder: Path) -> int:
    """Draw a user that owns no other folder; chance keeps the user of a deleted number from coming back."""
    taken = set()
    for each in folder.iterdir():
        with suppress(FileNotFoundError):  # deleted in the meantime
            taken.add(each.lstat().st_uid)
    while (user := secrets.choice(USERS)) in taken:
        pass
    return user


def _change_owner(folder: Path, user: int) -> None:
    """Make a user own a folder with all its content; the folder comes last, because it shows that
    this is done.
    """
    for _, folders, files, place in os.fwalk(folder):
        for name in (*folders, *files):
            found = os.stat(name, dir_fd=place, follow_symlinks=False)
            # A file with a second name may belong to somebody else under that name.
            if name in folders or found.st_nlink == 1:
                os.chown(name, user, user, dir_fd=place, follow_symlinks=False)
    os.chown(folder, user, user)
    if folder.stat().st_uid != user:
        raise OSError(errno.ENOTSUP, "this file system keeps no owners", str(folder))
