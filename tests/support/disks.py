"""A disk on which there is no more room."""

from __future__ import annotations

import resource
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(place: Path, size: str, *, files: int = 1000) -> Iterator[Path]:
    """Give a small file system for so many files, or a plain folder where none may be mounted."""
    place.mkdir(parents=True)
    options = f"size={size},nr_inodes={files + 1}"
    mounting = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", place)
    is_mounted = subprocess.run(mounting, check=False, capture_output=True).returncode == 0
    try:
        yield place
    finally:
        if is_mounted:
            subprocess.run(("umount", "--lazy", place), check=True)


@contextmanager
def no_room(disk: Path) -> Iterator[None]:
    """Fill the file system; where it is not its own, let no file of this process grow meanwhile."""
    if not disk.is_mount():
        with no_growth(0):
            yield
        return
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    yield
    ballast.unlink()


@contextmanager
def no_growth(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond this size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
