"""A Unix user for each number if the gateway runs as root: the user who owns the number's folder."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The range that systemd's list of users leaves free: https://systemd.io/UIDS-GIDS
USERS = range(0x7000_0000, 0x7FFF_FFFF)
# CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID: needed to create such a user and to control it
NEEDED = sum(1 << capability for capability in (0, 1, 3, 5, 6, 7))
STATUS, MAPPED = Path("/proc/self/status"), Path("/proc/self/uid_map")


@cache
def is_available() -> bool:
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
            if (
                name in folders or found.st_nlink == 1
            ):  # another of its names may belong to somebody else
                os.chown(name, user, user, dir_fd=place, follow_symlinks=False)
    os.chown(folder, user, user)
    if folder.stat().st_uid != user:
        raise OSError(errno.ENOTSUP, "this file system keeps no owners", str(folder))
