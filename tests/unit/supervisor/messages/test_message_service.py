"""Planning what is sent, where all numbers are served."""

from __future__ import annotations

import asyncio

from supervisor.messages.message_service import SHORT, plan_in_turn


async def test_long_texts_let_others_go_on() -> None:
    """While a long text is planned the event loop serves everybody else."""
    turns = 0
    planning = asyncio.create_task(plan_in_turn(asyncio.Lock(), "<b>xx</b>" * SHORT, ()))

    while not planning.done():
        await asyncio.sleep(0)
        turns += 1

    assert len(planning.result()) > 1
    assert turns > 1


async def test_short_texts_wait_behind_long_ones() -> None:
    """Messages are planned in the order in which they came, so that no short one overtakes."""
    turn, done = asyncio.Lock(), []

    async def plan(text: str) -> None:
        await plan_in_turn(turn, text, ())
        done.append(len(text))

    await asyncio.gather(plan("x" * (SHORT + 1)), plan("y"), plan("z" * (SHORT + 2)), plan("zz"))

    assert done == [SHORT + 1, 1, SHORT + 2, 2]
