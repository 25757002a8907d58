"""What is left to be done when a call is over, however it ended."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_left: ContextVar[list[Callable[[], None]]] = ContextVar("left to be done")


def at_end(act: Callable[[], None]) -> None:
    """Do this when the call that we serve is over: its answer sent, cut off, or never begun."""
    _left.get().append(act)


@contextmanager
def call_with_end() -> Iterator[None]:
    acts: list[Callable[[], None]] = []
    before = _left.set(acts)
    try:
        yield
    finally:
        _left.reset(before)
        for act in reversed(acts):
            act()
