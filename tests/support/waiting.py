"""Waiting for something that another task, process or server does."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, TypeVar, overload

from supervisor.config import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

POLL_INTERVAL = 0.01  # seconds, at first
# Who waits longer looks less often: it would only take the processor from whom it waits for.
GROWTH = 1.2
LONGEST_INTERVAL = 0.2  # seconds
# It bounds what has gone wrong, nothing else, so it is long: a machine may be ten times slower.
PATIENCE = 120.0  # seconds
ENDLESS_PATIENCE = Patience(*[float("inf")] * 5)
"""Never takes a worker for hung, as tests need that stop one on purpose."""

T = TypeVar("T")


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], deadline: float = PATIENCE, *, awaited: str = ""
) -> T: ...


@overload
async def eventually(
    condition: Callable[[], T], deadline: float = PATIENCE, *, awaited: str = ""
) -> T: ...


async def eventually(
    condition: Callable[[], object], deadline: float = PATIENCE, *, awaited: str = ""
) -> object:
    """Ask until the condition answers something true, at most `deadline` seconds; hand it back."""
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + deadline, POLL_INTERVAL
    while not (value := await _answer(condition)):
        if loop.time() >= end:
            name = awaited or condition.__qualname__
            raise AssertionError(f"not within {deadline} s: {name}; last answer: {value!r}")
        await asyncio.sleep(pause)
        pause = min(pause * GROWTH, LONGEST_INTERVAL)
    return value


async def _answer(condition: Callable[[], object]) -> object:
    value = condition()
    return await value if inspect.isawaitable(value) else value
