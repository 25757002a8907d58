"""From Telegram to Planfix: kept once, in order, before anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

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
from supervisor.database import tables
from supervisor.errors import NumberUnknown, StaleEpoch
from supervisor.journal.chats import find_owed
from tests.unit.supervisor.rows import NUMBER, incoming, picture, received

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.unit.supervisor.conftest import RecordedDispatcher

LATER = Failure(code="planfix_unavailable", next_try=9e9)
DEAD = Failure(code="planfix_rejected", detail="400")


async def test_message_is_kept_then_handed_over(recorded: RecordedDispatcher) -> None:
    """What came in is in the journal when the worker hears that it is stored."""
    await recorded.say(received(5))

    [entry] = await recorded.entries()
    assert (entry.state, entry.text, entry.peer_id) == ("pending", "message 5", 1)
    assert recorded.told == [
        Stored(positions=(5,)),
        Deliver(row=entry.id, incoming=incoming(5), chat=ChatMemory(peer_id=1)),
    ]


async def test_message_heard_again_is_one_row(recorded: RecordedDispatcher) -> None:
    """An update that comes again is acknowledged again, kept and handed over once."""
    await recorded.say(received(5), received(5))
    await recorded.say(received(5))

    assert len(await recorded.entries()) == 1
    assert len(recorded.told_of(Deliver)) == 1
    assert [told.positions for told in recorded.told_of(Stored)] == [(5, 5), (5,)]


async def test_edits_are_messages_of_their_own(recorded: RecordedDispatcher) -> None:
    """A message, each edit of it and its deletion are kept apart; none of them twice."""
    events = [
        received(5),
        received(5, what=IncomingKind.EDIT, edit_date=10),
        received(5, what=IncomingKind.EDIT, edit_date=11),
        received(5, what=IncomingKind.EDIT, edit_date=11, text="and again in this second"),
        received(5, what=IncomingKind.DELETION),
    ]

    await recorded.say(*events)
    await recorded.say(*events)

    assert len(await recorded.entries()) == 5


async def test_rest_of_a_cut_album_is_kept(recorded: RecordedDispatcher) -> None:
    """Of an album whose first half is kept only the second half is new."""
    await recorded.say(received(5, 6, files=(picture(5), picture(6))))

    await recorded.say(received(5, 6, 7, files=(picture(5), picture(6), picture(7))))

    first, second = recorded.told_of(Deliver)
    assert first.incoming.message_ids == (5, 6)
    assert second.incoming.message_ids == (7,)
    assert [file.name for file in second.incoming.files] == ["7.jpg"]


async def test_order_is_kept_across_workers(recorded: RecordedDispatcher) -> None:
    """What was not delivered is handed to the next worker in the order in which it came."""
    for message_id in (5, 3, 9, 7):
        await recorded.say(received(message_id, peer_id=message_id % 2))
    [row] = [order.row for order in recorded.told_of(Deliver) if order.incoming.message_ids == (3,)]
    await recorded.say(Delivered(row=row))

    await recorded.reopen()

    assert [order.incoming.message_ids for order in recorded.told_of(Deliver)] == [(5,), (9,), (7,)]


async def test_tries_travel_with_the_row(recorded: RecordedDispatcher) -> None:
    """The next worker goes on where the one before was."""
    await recorded.say(received(5))
    row = recorded.told_of(Deliver)[0].row
    await recorded.say(Trying(row=row), Failed(row=row, failure=LATER))

    await recorded.reopen()

    [order] = recorded.told_of(Deliver)
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
async def test_open_outcome_makes_uncertain(
    recorded: RecordedDispatcher, said: list[Trying | Failed]
) -> None:
    """A try without a word of its end, or with an answer lost, may have got through."""
    await recorded.say(received(5))
    for event in said:
        await recorded.say(event)

    await recorded.reopen()

    assert recorded.told_of(Deliver)[0].is_uncertain


async def test_dead_letter_is_not_handed_over(recorded: RecordedDispatcher) -> None:
    """What Planfix refused for good is kept with the reason, then left alone."""
    await recorded.say(received(5))
    row = recorded.told_of(Deliver)[0].row
    await recorded.say(Trying(row=row), Failed(row=row, failure=DEAD))

    await recorded.reopen()

    [entry] = await recorded.entries()
    assert (entry.state, entry.error_code, entry.error_detail) == ("dead", DEAD.code, DEAD.detail)
    assert recorded.told_of(Deliver) == []


async def test_replayed_letter_is_handed_over(recorded: RecordedDispatcher) -> None:
    """A dead letter sent again goes to the running worker, or to the next one."""
    await recorded.say(received(5), received(6))
    rows = [order.row for order in recorded.told_of(Deliver)]
    for row in rows:
        await recorded.say(Failed(row=row, failure=DEAD))
    recorded.told.clear()

    await recorded.dispatcher.replay(rows[0])
    await recorded.say()

    assert [order.row for order in recorded.told_of(Deliver)] == [rows[0]]
    await recorded.say(Delivered(row=rows[0]))
    assert await recorded.dispatcher.replay_all() == 1
    await recorded.reopen()
    assert [order.row for order in recorded.told_of(Deliver)] == [rows[1]]


async def test_memory_of_chats_is_handed_down(recorded: RecordedDispatcher) -> None:
    """What a worker has learnt of a chat reaches later messages and workers."""
    memory = ChatMemory(peer_id=1, task=77, contact=incoming(5).contact)
    await recorded.say(received(5), ChatRemembered(chat=memory))
    await recorded.say(received(6))
    assert recorded.told_of(Deliver)[1].chat == memory

    await recorded.reopen()

    assert {order.chat.task for order in recorded.told_of(Deliver)} == {77}


async def test_files_have_links(recorded: RecordedDispatcher) -> None:
    """Each file travels with a link that leads to it, so does the contact's photo."""
    contact = incoming(5).contact.model_copy(update={"photo_id": 12})

    await recorded.say(received(5, files=(picture(5),), contact=contact))

    [order] = recorded.told_of(Deliver)
    assert [link.rpartition("/")[2] for link in order.links] == ["5.jpg"]
    assert order.photo_link is not None
    assert order.photo_link.startswith("https://gateway.example/files/")


async def test_straggler_keeps_nothing(recorded: RecordedDispatcher) -> None:
    """A worker of an older epoch inserts nothing, acknowledges nothing, delivers nothing."""
    await recorded.say(received(5))
    row = recorded.told_of(Deliver)[0].row
    epoch = (await recorded.store.numbers.get(NUMBER)).epoch
    await recorded.store.runs.take_epoch(NUMBER, epoch)
    recorded.told.clear()

    with pytest.raises(StaleEpoch):
        await recorded.say(received(6), Delivered(row=row))

    [entry] = await recorded.entries()
    assert (entry.id, entry.state) == (row, "pending")
    assert recorded.told == []


async def test_purge_erases_all(recorded: RecordedDispatcher) -> None:
    """With its number a message disappears; its worker can write no more."""
    await recorded.say(received(5), ChatRemembered(chat=ChatMemory(peer_id=1, task=1)))
    await recorded.write("a")

    await recorded.store.numbers.purge(NUMBER)

    assert await recorded.entries() == ()
    assert await recorded.dispatcher.journal.memories([1]) == {}
    with pytest.raises(NumberUnknown):
        await recorded.say(received(6))
    with pytest.raises(NumberUnknown):
        await recorded.write("b")


async def test_thousands_of_messages_at_once(recorded: RecordedDispatcher) -> None:
    """More ids than one statement takes are looked up and kept all the same."""
    deletions = [
        received(*range(start, start + 1000), what=IncomingKind.DELETION)
        for start in range(1, 36_001, 1000)
    ]

    await recorded.say(*deletions)

    assert len(await recorded.entries()) == 36


async def test_statuses_of_thousands_of_messages_at_once(recorded: RecordedDispatcher) -> None:
    """More rows than one statement takes are asked about all the same."""
    assert await recorded.store.database.read(find_owed, NUMBER, range(40_000)) == ()


async def test_damaged_memory_of_a_chat_holds_up_nothing(recorded: RecordedDispatcher) -> None:
    """What is remembered of a chat and cannot be opened any more is as good as nothing remembered."""
    await recorded.say(received(5), ChatRemembered(chat=ChatMemory(peer_id=1, task=77)))
    await recorded.store.database.write(_damage_memories)

    await recorded.reopen()
    await recorded.say(received(6))

    handed = [(each.incoming.message_ids, each.chat.task) for each in recorded.told_of(Deliver)]
    assert handed == [((5,), None), ((6,), None)]
    assert len(await recorded.entries()) == 2


def _damage_memories(connection: Connection) -> None:
    connection.execute(update(tables.chat).values(memory=b"damaged"))
