"""A question that is asked again while its first answer is still awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EVERY = 3.0  # seconds between two questions
MOST = 4  # questions that wait at a time

T = TypeVar("T")


async def ask_until_answered(
    ask: Callable[[], Awaitable[T]], every: float = EVERY, most: int = MOST
) -> T:
    """Return the first answer, or raise the first failure.

    A server that hung leaves the questions of that time unanswered, so only a new one finds out
    that it is back. The first question keeps its whole patience, for a server that is just slow.
    """
    asked: list[asyncio.Task[T]] = []
    try:
        while True:
            asked.append(asyncio.create_task(_run(ask)))
            done, _ = await asyncio.wait(asked, timeout=every, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return done.pop().result()
            if len(asked) == most:
                await _cancel([asked.pop(1)])
    finally:
        await _cancel(asked)


async def _run(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


async def _cancel(tasks: list[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
