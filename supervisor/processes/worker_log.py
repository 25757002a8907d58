"""The newest lines that the workers of one number have logged, in bounded memory."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_worker.protocol.contract import LogLine

MOST_LINES = 200
LONGEST_LINE = 500  # characters; what is longer can be read in the gateway's own log
GATEWAY = "GATEWAY"
"""The level of a line that the gateway itself adds."""


class LoggedLine(NamedTuple):
    """A line, with an id that grows, even across restarts of the gateway."""

    id: int
    at: float
    level: str
    text: str


class WorkerLog:
    """Keeps the lines of workers that have ended, because their last lines are the most interesting."""

    def __init__(self) -> None:
        self._next = int(time.time() * 1000) * 1000
        self._lines: deque[LoggedLine] = deque(maxlen=MOST_LINES)

    def add(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            self._append(line.at, line.level, line.text)

    def record(self, text: str, detail: str | None = None) -> None:
        """Add what the gateway knows of the number: its state, or why its process ended."""
        line = f"{text}: {detail}" if detail else text
        self._append(time.time(), GATEWAY, line)

    def after(self, seen: int | None) -> tuple[LoggedLine, ...]:
        """Return the lines after the one with this id, oldest first."""
        return tuple(line for line in self._lines if seen is None or line.id > seen)

    def _append(self, at: float, level: str, text: str) -> None:
        self._next += 1
        self._lines.append(LoggedLine(self._next, at, level, text[:LONGEST_LINE]))
