"""From Telegram to Planfix: kept once, in order, before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.messages import (
    ChatMemory,
    ChatRemembered,
    Deliver,
    Delivered,
    Failed,
    Failure,
    IncomingKind,
    Stored,
    Trying,
)
from supervisor.errors import NumberUnknown, StaleEpoch
from supervisor.journal.statuses import find_owed
from tests.unit.supervisor.rows import NUMBER, incoming, picture, received

if TYPE_CHECKING:
    from tests.unit.supervisor.conftest import Office

LATER = Failure(code="planfix_unavailable", next_try=9e9)
DEAD = Failure(code="planfix_rejected", detail="400")


async def test_message_is_kept_then_handed_over(office: Office) -> None:
    """What came in is in the journal when the worker hears that it is stored."""
    await office.say(received(5))

    [entry] = await office.entries()
    assert (entry.state, entry.text, entry.peer_id) == ("pending", "message 5", 1)
    assert office.told == [
        Stored(positions=(5,)),
        Deliver(row=entry.id, incoming=incoming(5), chat=ChatMemory(peer_id=1)),
    ]


async def test_message_heard_again_is_one_row(office: Office) -> None:
    """An update that comes again is acknowledged again, kept and handed over once."""
    await office.say(received(5), received(5))
    await office.say(received(5))

    assert len(await office.entries()) == 1
    assert len(office.told_of(Deliver)) == 1
    assert [told.positions for told in office.told_of(Stored)] == [(5, 5), (5,)]


async def test_edits_are_messages_of_their_own(office: Office) -> None:
    """A message, each edit of it and its deletion are kept apart; none of them twice."""
    events = [
        received(5),
        received(5, what=IncomingKind.EDIT, edit_date=10),
        received(5, what=IncomingKind.EDIT, edit_date=11),
        received(5, what=IncomingKind.DELETION),
    ]

    await office.say(*events)
    await office.say(*events)

    assert len(await office.entries()) == 4


async def test_rest_of_a_cut_album_is_kept(office: Office) -> None:
    """Of an album whose first half is kept only the second half is new."""
    await office.say(received(5, 6, files=(picture(5), picture(6))))

    await office.say(received(5, 6, 7, files=(picture(5), picture(6), picture(7))))

    first, second = office.told_of(Deliver)
    assert first.incoming.message_ids == (5, 6)
    assert second.incoming.message_ids == (7,)
    assert [file.name for file in second.incoming.files] == ["7.jpg"]


async def test_order_is_kept_across_workers(office: Office) -> None:
    """What was not delivered is handed to the next worker in the order in which it came."""
    for message_id in (5, 3, 9, 7):
        await office.say(received(message_id, peer_id=message_id % 2))
    [row] = [order.row for order in office.told_of(Deliver) if order.incoming.message_ids == (3,)]
    await office.say(Delivered(row=row))

    await office.reopen()

    assert [order.incoming.message_ids for order in office.told_of(Deliver)] == [(5,), (9,), (7,)]


async def test_tries_travel_with_the_row(office: Office) -> None:
    """The next worker goes on where the one before was."""
    await office.say(received(5))
    row = office.told_of(Deliver)[0].row
    await office.say(Trying(row=row), Failed(row=row, failure=LATER))

    await office.reopen()

    [order] = office.told_of(Deliver)
    assert (order.attempts, order.next_try, order.is_uncertain) == (1, 9e9, False)


@pytest.mark.parametrize(
    "said",
    [
        [Trying(row=1)],
        [Trying(row=1), Failed(row=1, failure=Failure(code="planfix_answer_lost", next_try=1.0))],
        [
            Trying(row=1),
            Failed(row=1, failure=Failure(code="planfix_answer_lost", next_try=1.0)),
            Trying(row=1),
            Failed(row=1, failure=LATER),
        ],
    ],
)
async def test_open_outcome_makes_uncertain(office: Office, said: list[Trying | Failed]) -> None:
    """A try without a word of its end, or with an answer lost, may have got through."""
    await office.say(received(5))
    for event in said:
        await office.say(event)

    await office.reopen()

    assert office.told_of(Deliver)[0].is_uncertain


async def test_dead_letter_is_not_handed_over(office: Office) -> None:
    """What Planfix refused for good is kept with the reason, then left alone."""
    await office.say(received(5))
    row = office.told_of(Deliver)[0].row
    await office.say(Trying(row=row), Failed(row=row, failure=DEAD))

    await office.reopen()

    [entry] = await office.entries()
    assert (entry.state, entry.error_code, entry.error_detail) == ("dead", DEAD.code, DEAD.detail)
    assert office.told_of(Deliver) == []


async def test_replayed_letter_is_handed_over(office: Office) -> None:
    """A dead letter sent again goes to the running worker, or to the next one."""
    await office.say(received(5), received(6))
    rows = [order.row for order in office.told_of(Deliver)]
    for row in rows:
        await office.say(Failed(row=row, failure=DEAD))
    office.told.clear()

    await office.dispatcher.replay(rows[0])
    await office.say()

    assert [order.row for order in office.told_of(Deliver)] == [rows[0]]
    await office.say(Delivered(row=rows[0]))
    assert await office.dispatcher.replay_all() == 1
    await office.reopen()
    assert [order.row for order in office.told_of(Deliver)] == [rows[1]]


async def test_memory_of_chats_is_handed_down(office: Office) -> None:
    """What a worker has learnt of a chat reaches later messages and workers."""
    memory = ChatMemory(peer_id=1, task=77, contact=incoming(5).contact)
    await office.say(received(5), ChatRemembered(chat=memory))
    await office.say(received(6))
    assert office.told_of(Deliver)[1].chat == memory

    await office.reopen()

    assert {order.chat.task for order in office.told_of(Deliver)} == {77}


async def test_files_have_links(office: Office) -> None:
    """Each file travels with a link that leads to it, so does the contact's photo."""
    contact = incoming(5).contact.model_copy(update={"photo_id": 12})

    await office.say(received(5, files=(picture(5),), contact=contact))

    [order] = office.told_of(Deliver)
    assert [link.rpartition("/")[2] for link in order.links] == ["5.jpg"]
    assert order.photo_link is not None
    assert order.photo_link.startswith("https://gateway.example/files/")


async def test_straggler_keeps_nothing(office: Office) -> None:
    """A worker of an older epoch inserts nothing, acknowledges nothing, delivers nothing."""
    await office.say(received(5))
    row = office.told_of(Deliver)[0].row
    epoch = (await office.store.numbers.get(NUMBER)).epoch
    await office.store.runs.take_epoch(NUMBER, epoch)
    office.told.clear()

    with pytest.raises(StaleEpoch):
        await office.say(received(6), Delivered(row=row))

    [entry] = await office.entries()
    assert (entry.id, entry.state) == (row, "pending")
    assert office.told == []


async def test_purge_erases_all(office: Office) -> None:
    """With its number a message disappears; its worker can write no more."""
    await office.say(received(5), ChatRemembered(chat=ChatMemory(peer_id=1, task=1)))
    await office.write("a")

    await office.store.numbers.purge(NUMBER)

    assert await office.entries() == ()
    assert await office.dispatcher.journal.memories([1]) == {}
    with pytest.raises(NumberUnknown):
        await office.say(received(6))
    with pytest.raises(NumberUnknown):
        await office.write("b")


async def test_thousands_of_messages_at_once(office: Office) -> None:
    """More ids than one statement takes are looked up and kept all the same."""
    deletions = [
        received(*range(start, start + 1000), what=IncomingKind.DELETION)
        for start in range(1, 36_001, 1000)
    ]

    await office.say(*deletions)

    assert len(await office.entries()) == 36


async def test_statuses_of_thousands_of_messages_at_once(office: Office) -> None:
    """More rows than one statement takes are asked about all the same."""
    assert await office.store.database.read(find_owed, NUMBER, range(40_000)) == ()
