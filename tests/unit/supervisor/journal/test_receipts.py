"""Receipts for what was written while nobody listened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.protocol.chats import LeftOut
from session_worker.protocol.messages import Deliver, Delivered, GapFilled, Trying
from tests.unit.supervisor.rows import received, sent

if TYPE_CHECKING:
    from tests.unit.supervisor.conftest import RecordedDispatcher


def gap(found: int, missing: int = 0) -> GapFilled:
    return GapFilled(
        pts_from=10, pts_to=20, began=1_700_000_000.0, found=found, missing=missing, detail="why"
    )


async def counts(recorded: RecordedDispatcher) -> list[tuple[int, int, int]]:
    receipts = await recorded.dispatcher.journal.receipts(10)
    return [(each.found, each.delivered, each.missing) for each in receipts]


async def test_receipt_counts_what_was_delivered(recorded: RecordedDispatcher) -> None:
    """What was found is delivered bit by bit; messages before and after the gap do not count."""
    await recorded.say(received(1))
    await recorded.say(received(2), received(3, 4))
    await recorded.say(received(5))
    await recorded.dispatcher.record_events([gap(found=4, missing=1)])
    await recorded.say(received(6))
    assert await counts(recorded) == [(4, 0, 1)]
    rows = {order.incoming.message_ids[0]: order.row for order in recorded.told_of(Deliver)}

    await recorded.say(Delivered(row=rows[1]), Delivered(row=rows[6]), Delivered(row=rows[3]))
    assert await counts(recorded) == [(4, 2, 1)]

    await recorded.say(Delivered(row=rows[2]), Delivered(row=rows[5]))
    assert await counts(recorded) == [(4, 4, 1)]


async def test_known_messages_count_as_found(recorded: RecordedDispatcher) -> None:
    """What the search finds again was delivered before."""
    await recorded.say(received(1))
    await recorded.say(Delivered(row=recorded.told_of(Deliver)[0].row))

    await recorded.say(received(1), gap(found=1))

    assert await counts(recorded) == [(1, 1, 0)]


async def test_receipts_come_newest_first(recorded: RecordedDispatcher) -> None:
    """Each gap has a receipt of its own."""
    await recorded.say(gap(found=0))
    await recorded.say(received(1), gap(found=1))

    [newest, oldest] = await recorded.dispatcher.journal.receipts(10)

    assert (newest.found, newest.delivered, oldest.found) == (1, 0, 0)
    assert (newest.pts_from, newest.pts_to, newest.detail) == (10, 20, "why")
    assert newest.began.timestamp() == 1_700_000_000.0


async def test_own_message_known_before_its_echo_does_not_count(
    recorded: RecordedDispatcher,
) -> None:
    """What we sent ourselves is nobody's news; what the owner wrote is."""
    row = (await recorded.write("a")).row
    await recorded.say(sent(row, 2))

    await recorded.say(received(1), received(2, is_echo=True), received(3, is_echo=True))
    await recorded.say(gap(found=3))

    assert await counts(recorded) == [(2, 0, 0)]


async def test_echo_that_turns_out_our_own_before_the_receipt_does_not_count(
    recorded: RecordedDispatcher,
) -> None:
    """The row of such an echo is gone when the receipt is written."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row))
    await recorded.say(received(1), received(2, is_echo=True))
    await recorded.say(sent(row, 2))

    await recorded.say(gap(found=2))

    assert await counts(recorded) == [(1, 0, 0)]


async def test_echo_that_turns_out_our_own_later_is_taken_back(
    recorded: RecordedDispatcher,
) -> None:
    """A receipt is put right when an echo on it is dropped, by a worker after a crash too."""
    row = (await recorded.write("a")).row
    await recorded.say(Trying(row=row))
    await recorded.say(received(1), received(2, 3, is_echo=True), gap(found=3))
    await recorded.reopen()

    await recorded.say(sent(row, 2, 3))

    assert await counts(recorded) == [(1, 0, 0)]


async def test_message_of_a_chat_left_out_leaves_no_trace(recorded: RecordedDispatcher) -> None:
    """A waiting message that its worker refuses is erased and not missed; a delivered one stays."""
    await recorded.say(received(1))
    await recorded.say(received(2), received(3), gap(found=2))
    first, second, third = (order.row for order in recorded.told_of(Deliver))
    await recorded.say(Delivered(row=first))

    await recorded.say(LeftOut(row=second), LeftOut(row=first), Delivered(row=third))

    journal = recorded.dispatcher.journal
    assert [await journal.find_body(row) is None for row in (first, second)] == [False, True]
    assert await counts(recorded) == [(1, 1, 0)]
