"""Runs functions when a call is over, however it ended."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_left: ContextVar[list[Callable[[], None]]] = ContextVar("functions to run at the end of the call")


def at_end(act: Callable[[], None]) -> None:
    """Run the function when the current call is over: answered, cut off, or never answered."""
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
