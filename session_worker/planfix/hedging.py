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
    ask: Callable[[], Awaitable[T]], may_repeat: Callable[[], bool] = lambda: True
) -> T:
    """Return the first answer, or raise the first failure.

    A server that hung leaves the questions of that time unanswered, so only a new one finds out
    that it is back. The first question keeps its whole patience, for a server that is just slow.
    Each time nothing has come for long enough `may_repeat` hears of it, then decides.
    """
    asked: list[asyncio.Task[T]] = []
    try:
        asked.append(asyncio.create_task(_run(ask)))
        while not (done := (await _first_of(asked))):
            if may_repeat():
                if len(asked) == MOST:
                    await _cancel([asked.pop(1)])
                asked.append(asyncio.create_task(_run(ask)))
        return done.pop().result()
    finally:
        await _cancel(asked)


async def _first_of(asked: list[asyncio.Task[T]]) -> set[asyncio.Task[T]]:
    done, _ = await asyncio.wait(asked, timeout=EVERY, return_when=asyncio.FIRST_COMPLETED)
    return done


async def _run(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


async def _cancel(tasks: list[asyncio.Task[T]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
