"""From Planfix to Telegram: accepted once, sent in order, its status told truly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.messages import (
    SENT_SEPARATELY,
    Failed,
    Failure,
    PlanfixStatus,
    ReadByContact,
    Send,
    StatusTold,
    Stored,
    TellStatus,
    Trying,
)
from tests.unit.supervisor.rows import NUMBER, outgoing, sent

if TYPE_CHECKING:
    from tests.unit.supervisor.conftest import Office

SENT, READ, ERROR = PlanfixStatus.SENT, PlanfixStatus.READ, PlanfixStatus.ERROR


def told(row: int, status: PlanfixStatus) -> StatusTold:
    return StatusTold(row=row, status=status)


def read(up_to: int, peer_id: int = 1) -> ReadByContact:
    return ReadByContact(positions=(up_to,), peer_id=peer_id, up_to=up_to)


def statuses(office: Office) -> list[tuple[str, PlanfixStatus]]:
    return [(order.planfix_id, order.status) for order in office.told_of(TellStatus)]


async def test_accepted_message_is_handed_over(office: Office) -> None:
    """A new message goes to the worker at once."""
    accepted = await office.write("a")

    assert office.told == [Send(row=accepted.row, outgoing=outgoing("a"))]


async def test_repeat_gets_the_same_answer(office: Office) -> None:
    """The same id of Planfix is one message, whether it comes at once, later or otherwise."""
    answers = await asyncio.gather(*(office.write("a") for _ in range(5)))
    later = await office.write("a", peer_id=2)

    assert len({(answer.row, answer.peer_id) for answer in (*answers, later)}) == 1
    assert sum(not answer.is_repeat for answer in answers) == 1
    assert later.is_repeat
    assert len(office.told_of(Send)) == 1


async def test_accepted_without_worker_waits(closed_office: Office) -> None:
    """Messages of a number that does not run are handed to its next worker, in order."""
    for name in "cab":
        await closed_office.write(name)

    await closed_office.open()

    assert [order.outgoing.planfix_id for order in closed_office.told_of(Send)] == ["c", "a", "b"]


async def test_status_follows_the_last_part(office: Office) -> None:
    """Planfix is told that a message was sent when all of it was."""
    accepted = await office.dispatcher.accept(outgoing("a", parts=2), is_new_chat=True)
    await office.say(Trying(row=accepted.row), sent(accepted.row, 5))
    assert statuses(office) == []

    await office.say(sent(accepted.row, 6, part=1))

    assert statuses(office) == [("a", SENT)]
    assert [entry.state for entry in await office.entries()] == ["delivered"]


async def test_sent_parts_are_not_sent_again(office: Office) -> None:
    """After the death of a worker only the rest of a message is sent."""
    accepted = await office.dispatcher.accept(outgoing("a", parts=3), is_new_chat=True)
    await office.say(Trying(row=accepted.row), sent(accepted.row, 5), sent(accepted.row, 0, part=1))

    await office.reopen()

    [order] = office.told_of(Send)
    assert [part.sent for part in order.outgoing.parts] == [(5,), (0,), ()]
    assert order.attempts == 1


async def test_part_half_sent_is_open(office: Office) -> None:
    """A part of which messages are still to be sent is handed over with what it has become."""
    accepted = await office.dispatcher.accept(outgoing("a", parts=2), is_new_chat=True)
    row = accepted.row
    await office.say(sent(row, None, SENT_SEPARATELY), sent(row, 6, part=1))

    await office.reopen()

    [order] = office.told_of(Send)
    assert [part.sent for part in order.outgoing.parts] == [(None, SENT_SEPARATELY), (6,)]
    assert [part.is_sent for part in order.outgoing.parts] == [False, True]
    assert statuses(office) == []
    await office.say(sent(row, None, 5), sent(row, 7, 5))
    assert statuses(office) == [("a", SENT)]


async def test_replay_knows_what_was_sent(office: Office) -> None:
    """A dead letter that is sent again goes on where it was given up."""
    row = (await office.write("a")).row
    dead = Failed(row=row, failure=Failure(code="MEDIA_EMPTY"))
    await office.say(Trying(row=row), sent(row, None, 5), dead)
    assert [entry.state for entry in await office.entries()] == ["dead"]

    assert await office.dispatcher.replay_all() == 1
    await office.say()

    *_, again = office.told_of(Send)
    assert [part.sent for part in again.outgoing.parts] == [(None, 5)]


async def test_random_ids_never_change(office: Office) -> None:
    """A repeat after a crash is the same message to Telegram."""
    await office.write("a")
    before = [part.random_ids for part in office.told_of(Send)[0].outgoing.parts]

    await office.reopen()

    assert [part.random_ids for part in office.told_of(Send)[0].outgoing.parts] == before


async def test_read_is_told_after_sent(office: Office) -> None:
    """A message read before Planfix knew it was sent is told as sent, then as read."""
    row = (await office.write("a")).row
    await office.say(sent(row, 5))

    await office.say(read(7))
    assert statuses(office) == [("a", SENT)]
    await office.say(told(row, SENT))
    await office.say(told(row, READ))

    assert statuses(office) == [("a", SENT), ("a", READ)]
    assert office.told_of(Stored) == [Stored(positions=(7,))]


async def test_reading_overtakes_sending(office: Office) -> None:
    """The contact may have read what we have not heard to be sent."""
    row = (await office.write("a")).row
    await office.say(read(5))

    await office.say(sent(row, 5))
    await office.say(told(row, SENT))

    assert statuses(office) == [("a", SENT), ("a", READ)]


async def test_only_what_was_read_is_told(office: Office) -> None:
    """Newer messages, other chats, what is not sent yet: none of them was read."""
    rows = [(await office.write(name, peer)).row for name, peer in [("a", 1), ("b", 1), ("c", 2)]]
    await office.write("d")
    await office.say(*(sent(row, 5 + place) for place, row in enumerate(rows)))
    await office.say(*(told(row, SENT) for row in rows))
    office.told.clear()

    await office.say(read(5))

    assert statuses(office) == [("a", READ)]
    await office.say(read(5), told(rows[0], READ))
    assert len(office.told_of(TellStatus)) == 1


async def test_dead_message_is_an_error(office: Office) -> None:
    """What can't be sent is told with a sentence for the employee."""
    row = (await office.write("a")).row

    await office.say(Trying(row=row), Failed(row=row, failure=Failure(code="USER_IS_BLOCKED")))

    [order] = office.told_of(TellStatus)
    assert (order.status, order.planfix_id) == (ERROR, "a")
    assert order.text == "The contact has blocked this number in Telegram."


async def test_replayed_message_changes_its_status(office: Office) -> None:
    """A dead letter that is sent after all is told as sent."""
    row = (await office.write("a")).row
    await office.say(Failed(row=row, failure=Failure(code="USER_IS_BLOCKED")))
    await office.say(told(row, ERROR))

    await office.dispatcher.replay(row)
    await office.say()
    await office.say(sent(row, 5))

    assert len(office.told_of(Send)) == 2
    assert statuses(office) == [("a", ERROR), ("a", SENT)]


async def test_owed_statuses_survive(office: Office) -> None:
    """What Planfix was not told before a crash is told after it, nothing else is."""
    rows = {name: (await office.write(name)).row for name in "abc"}
    await office.say(sent(rows["a"], 5), sent(rows["b"], 6))
    await office.say(Failed(row=rows["c"], failure=Failure(code="USER_IS_BLOCKED")))
    await office.say(told(rows["a"], SENT))
    await office.say(read(5))

    await office.reopen()

    assert statuses(office) == [("a", READ), ("b", SENT), ("c", ERROR)]
    await office.say(told(rows["a"], READ), told(rows["b"], SENT), told(rows["c"], ERROR))
    await office.reopen()
    assert statuses(office) == []


async def test_refused_status_is_not_told_again(office: Office) -> None:
    """Planfix has had its chance: what it will never take is not owed any more."""
    row = (await office.write("a")).row
    await office.say(sent(row, 5))
    refusal = Failure(code="planfix_rejected")

    await office.say(StatusTold(row=row, status=SENT, failure=refusal))
    await office.reopen()

    assert statuses(office) == []


async def test_foreign_rows_are_out_of_reach(office: Office) -> None:
    """A worker that names another number's row changes nothing there."""
    row = (await office.write("a")).row
    other = await other_office(office)

    await other.say(
        Trying(row=row),
        sent(row, 5),
        Failed(row=row, failure=Failure(code="USER_IS_BLOCKED")),
        told(row, SENT),
    )
    await other.close()

    [entry] = await office.entries()
    assert (entry.state, entry.attempts, entry.status) == ("pending", 0, None)


async def other_office(office: Office) -> Office:
    from supervisor.store.values import NewNumber
    from tests.unit.supervisor.conftest import Office, make_dispatcher

    number = "79990000000"
    await office.store.numbers.create(NewNumber(number, "Other", "https://o.example", "t"))
    other = Office(office.store, make_dispatcher(await office.store.journals.open(number)))
    epoch = (await office.store.numbers.get(number)).epoch
    await other.dispatcher.prepare(epoch)
    other.dispatcher.attach_worker(other.told.append)
    return other


@pytest.mark.parametrize("count", [1000])
async def test_many_at_once_share_commits(office: Office, count: int) -> None:
    """All that arrive together are stored, each with its own row, handed over in that order."""
    answers = await asyncio.gather(*(office.write(str(i), peer_id=i) for i in range(count)))

    handed = [order.row for order in office.told_of(Send)]
    assert len({answer.row for answer in answers}) == count
    assert handed == sorted(answer.row for answer in answers)[: len(handed)]
    assert (await office.store.journals.backlogs())[NUMBER] == {"out": count}
