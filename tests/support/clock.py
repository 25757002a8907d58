"""A clock for event loops that leaps to the next timer when all tasks wait."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator


class AutojumpClock:
    """Stands still while code runs, so that only waiting takes time."""

    def __init__(self, loop: Any) -> None:
        self._now: float = loop.time()
        self._real_select = loop._selector.select

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None = None) -> list[Any]:
        """Take what is ready, or leap; without any timer only the outside can end the wait."""
        ready: list[Any] = self._real_select(None if timeout is None else 0)
        if not ready and timeout:
            # A hair further: at large values the loop's tolerance of 1 ns is lost in rounding.
            self._now = math.nextafter(self._now + timeout, math.inf)
        return ready


@contextmanager
def autojumping(loop: asyncio.AbstractEventLoop) -> Iterator[AutojumpClock]:
    """Give the loop such a clock for a while; only for tests without sockets, pipes or threads."""
    clock = AutojumpClock(loop)
    patched: Any = loop
    patched.time, patched._selector.select = clock.time, clock.select
    try:
        yield clock
    finally:
        del patched.time, patched._selector.select
