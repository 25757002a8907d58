"""How much memory this process uses: a gauge that is opened before /proc is out of reach."""

from __future__ import annotations

import os
from typing import NamedTuple

PLACE = "/proc/self/smaps_rollup"
LARGEST = 4096  # bytes


class MemoryUse(NamedTuple):
    """The bytes in use, of what is shared only our share; those merged with equal pages, if known."""

    used: int = 0
    merged: int | None = None


class MemoryGauge:
    """Stays readable for as long as it is open."""

    def __init__(self) -> None:
        self._descriptor = os.open(PLACE, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> MemoryUse:
        lines = os.pread(self._descriptor, LARGEST, 0).splitlines()[1:]
        bytes_of = {line.split()[0]: int(line.split()[1]) * 1024 for line in lines}
        return MemoryUse(bytes_of.get(b"Pss:", 0), bytes_of.get(b"KSM:"))

    def close(self) -> None:
        os.close(self._descriptor)
