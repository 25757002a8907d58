"""Updates wait in bounded queues, in order."""

from __future__ import annotations

import asyncio

import pytest
from telethon.tl import types

from session_worker.protocol.contract import UpdateState
from session_worker.telegram.connection.updates import Inbox, LibraryQueue, split_missed
from tests.support.waiting import PATIENCE, eventually


def at(pts: int) -> UpdateState:
    return UpdateState(pts=pts)


async def test_a_full_library_queue_becomes_one_difference() -> None:
    """What overflows is forgotten, then asked for again: the queue holds one "too long"."""
    queue = LibraryQueue(3, asyncio.Event())

    for number in range(4):
        queue.put_nowait(number)

    assert isinstance(queue.get_nowait(), types.UpdatesTooLong)
    assert queue.empty()


async def test_only_what_telegram_sends_by_itself_is_a_push() -> None:
    """Answers to our own requests and our own orders to catch up prove nothing about hearing."""
    queue = LibraryQueue(10, asyncio.Event())
    own = types.UpdateShort(types.UpdateDeleteMessages([], 1, 1), None)
    own._self_outgoing = True

    queue.put_nowait(own)
    await queue.put(types.UpdatesTooLong())
    queue.put_nowait(types.UpdateShort(types.UpdateDeleteMessages([], 1, 1), None))

    assert queue.pushes == 1


async def test_updates_come_out_in_order_with_rising_positions() -> None:
    """Who takes gets what came first, in a place of its own."""
    inbox = Inbox(10, lambda _: None)

    await inbox.put(at(1), ["a", "b"])
    await inbox.put(at(2), ["c"])
    taken = [await inbox.take() for _ in range(3)]

    assert [incoming.update for incoming in taken] == ["a", "b", "c"]
    assert [incoming.position for incoming in taken] == [1, 2, 3]


async def test_a_full_inbox_makes_the_sender_wait() -> None:
    """Nobody gets ahead of a slow store by more than the limit and one batch."""
    inbox = Inbox(2, lambda _: None)
    await inbox.put(at(1), ["a", "b", "c"])

    sender = asyncio.create_task(inbox.put(at(2), ["d"]))
    await asyncio.sleep(0)

    assert inbox.is_full
    assert inbox.depth == 3
    await inbox.take()
    await inbox.take()
    await asyncio.wait_for(sender, PATIENCE)
    assert inbox.depth == 2


async def test_a_sender_that_dies_while_waiting_hands_over_nothing() -> None:
    """A batch is in here entirely or not at all, so that the next line can bring it whole."""
    inbox = Inbox(1, lambda _: None)
    await inbox.put(at(1), ["a"])
    sender = asyncio.create_task(inbox.put(at(3), ["b", "c"]))
    await asyncio.sleep(0)

    sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sender

    assert inbox.depth == 1
    assert inbox.reached == at(1)


async def test_a_place_is_told_once_it_is_safe() -> None:
    """The supervisor hears of a place when everything before it is stored, not twice."""
    told: list[UpdateState] = []
    inbox = Inbox(10, told.append)
    await inbox.put(at(1), [])
    await inbox.put(at(3), ["a", "b"])

    first, second = await inbox.take(), await inbox.take()
    inbox.acknowledge(second.position)
    inbox.acknowledge(first.position)
    await inbox.put(UpdateState(pts=3, date=99), [])

    assert told == [at(1), at(3)]


async def test_only_updates_count_as_heard() -> None:
    """A new place without an update is no sign of life from anybody."""
    inbox = Inbox(10, lambda _: None)

    await inbox.put(at(1), [])
    assert inbox.last_heard is None

    await inbox.put(at(2), ["a"])
    assert await eventually(lambda: inbox.last_heard)


def test_what_comes_while_the_missed_is_fetched_is_live() -> None:
    """Of a difference that reaches further than what was missed the newest is no part of it."""
    messages = [types.UpdateNewMessage(n, 0, 0) for n in range(3)]
    old, new = (types.UpdateDeleteMessages([1], pts, 1) for pts in (12, 14))

    missed, live = split_missed([*messages, old, new], 10, 13)

    assert missed == [*messages[:2], old]
    assert live == [messages[2], new]
