from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.clock import AutojumpClock


async def test_true_answer_is_handed_back() -> None:
    """Waiting ends with the first true answer, which is what the caller gets."""
    answers = iter([0, 0, 7])

    answer = await eventually(lambda: next(answers))

    assert answer == 7


async def test_condition_may_be_a_coroutine() -> None:
    """A condition that has to ask somebody may await the answer."""

    async def ask() -> str:
        await asyncio.sleep(0)
        return "here"

    assert await eventually(ask) == "here"


async def test_deadline_says_what_was_awaited(autojump_clock: AutojumpClock) -> None:
    """A condition that stays false fails the test at the deadline, by name, with its last answer."""
    before = autojump_clock.time()

    with pytest.raises(AssertionError, match=r"not within 60 s: a letter; last answer: \[\]"):
        await eventually(list, 60, awaited="a letter")

    assert autojump_clock.time() - before == pytest.approx(60, abs=0.1)
