"""What the kernel takes from a worker before it learns whose worker it is."""

from __future__ import annotations

import fcntl
import os
import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = 1024 * 1024 * 1024  # bytes of address space, shared libraries included
LOCK = "worker.lock"
STANDARD_STREAMS = (0, 1, 2)


def close_inherited(keep: int) -> None:
    """Close every descriptor but the standard streams and one more."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        descriptor = int(name)
        if descriptor not in {*STANDARD_STREAMS, keep}:
            _close(descriptor)


def confine(spool: Path) -> None:
    """Leave the worker nothing but its own folder, a share of memory, no core dumps."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chdir(spool)


def claim_number() -> None:
    """Wait until no other worker of this number lives, whoever has started it.

    The lock lies in the number's folder; the kernel lets go of it with our process.
    """
    descriptor = os.open(LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # the one that listed the folder is closed already
        return
