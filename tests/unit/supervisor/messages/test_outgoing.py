"""From Planfix to Telegram: accepted once, sent in order, its status told truly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.messages import (
    Contact,
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
from session_worker.protocol.outgoing import SENT_SEPARATELY
from tests.unit.supervisor.rows import NUMBER, outgoing, sent

if TYPE_CHECKING:
    from tests.unit.supervisor.conftest import RecordedDispatcher

SENT, READ, ERROR = PlanfixStatus.SENT, PlanfixStatus.READ, PlanfixStatus.ERROR


def told(row: int, status: PlanfixStatus) -> StatusTold:
    return StatusTold(row=row, status=status)


def read(up_to: int, peer_id: int = 1) -> ReadByContact:
    return ReadByContact(positions=(up_to,), peer_id=peer_id, up_to=up_to)


def statuses(recorded: RecordedDispatcher) -> list[tuple[str, PlanfixStatus]]:
    return [(order.planfix_id, order.status) for order in recorded.told_of(TellStatus)]


async def test_accepted_message_is_handed_over(recorded: RecordedDispatcher) -> None:
    """A new message goes to the worker at once."""
    accepted = await recorded.write("a")

    assert recorded.told == [Send(row=accepted.row, outgoing=outgoing("a"), is_first=True)]


async def test_repeat_gets_the_same_answer(recorded: RecordedDispatcher) -> None:
    """The same id of Planfix is one message, whether it comes at once, later or otherwise."""
    answers = await asyncio.gather(*(recorded.write("a") for _ in range(5)))
    later = await recorded.write("a", peer_id=2)

    assert len({(answer.row, answer.peer_id) for answer in (*answers, later)}) == 1
    assert sum(not answer.is_repeat for answer in answers) == 1
    assert later.is_repeat
    assert len(recorded.told_of(Send)) == 1


async def test_accepted_without_worker_waits(closed_dispatcher: RecordedDispatcher) -> None:
    """Messages of a number that does not run are handed to its next worker, in order."""
    for name in "cab":
        await closed_dispatcher.write(name)

    await closed_dispatcher.open()

    assert [order.outgoing.planfix_id for order in closed_dispatcher.told_of(Send)] == [
        "c",
        "a",
        "b",
    ]


async def test_status_follows_the_last_part(recorded: RecordedDispatcher) -> None:
    """Planfix is told that a message was sent when all of it was."""
    accepted = await recorded.dispatcher.accept(outgoing("a", parts=2), Contact(peer_id=1))
    await recorded.say(Trying(row=accepted.row), sent(accepted.row, 5))
    assert statuses(recorded) == []

    await recorded.say(sent(accepted.row, 6, part=1))

    assert statuses(recorded) == [("a", SENT)]
    assert [entry.state for entry in await recorded.entries()] == ["delivered"]


async def test_sent_parts_are_not_sent_again(recorded: RecordedDispatcher) -> None:
    """After the death of a worker only the rest of a message is sent."""
    accepted = await recorded.dispatcher.accept(outgoing("a", parts=3), Contact(peer_id=1))
    await recorded.say(
        Trying(row=accepted.row), sent(accepted.row, 5), sent(accepted.row, 0, part=1)
    )

    await recorded.reopen()

    [order] = recorded.told_of(Send)
    assert [part.sent for part in order.outgoing.parts] == [(5,), (0,), ()]
    assert order.attempts == 1


async def test_part_half_sent_is_open(recorded: RecordedDispatcher) -> None:
    """A part of which messages are still to be sent is handed over with what it has become."""
    accepted = await recorded.dispatcher.accept(outgoing("a", parts=2), Contact(peer_id=1))
    row = accepted.row
    await recorded.say(sent(row, None, SENT_SEPARATELY), sent(row, 6, part=1))

    await recorded.reopen()

    [order] = recorded.told_of(Send)
    assert [part.sent for part in order.outgoing.parts] == [(None, SENT_SEPARATELY), (6,)]
    assert [part.is_sent for part in order.outgoing.parts] == [False, True]
    assert statuses(recorded) == []
    await recorded.say(sent(row, None, 5), sent(row, 7, 5))
    assert statuses(recorded) == [("a", SENT)]


async def test_replay_knows_what_was_sent(recorded: RecordedDispatcher) -> None:
    """A dead letter that is sent again goes on where it was given up."""
    row = (await recorded.write("a")).row
    dead = Failed(row=row, failure=Failure(code="MEDIA_EMPTY"))
    await recorded.say(Trying(row=row), sent(row, None, 5), dead)
    assert [entry.state for entry in await recorded.entries()] == ["dead"]

    assert await recorded.dispatcher.replay_all() == 1
    await recorded.say()

    *_, again = recorded.told_of(Send)
    assert [part.sent for part in again.outgoing.parts] == [(None, 5)]


async def test_random_ids_never_change(recorded: RecordedDispatcher) -> None:
    """A repeat after a crash is the same message to Telegram."""
    await recorded.write("a")
    before = [part.random_ids for part in recorded.told_of(Send)[0].outgoing.parts]

    await recorded.reopen()

    assert [part.random_ids for part in recorded.told_of(Send)[0].outgoing.parts] == before


async def test_read_is_told_after_sent(recorded: RecordedDispatcher) -> None:
    """A message read before Planfix knew it was sent is told as sent, then as read."""
    row = (await recorded.write("a")).row
    await recorded.say(sent(row, 5))

    await recorded.say(read(7))
    assert statuses(recorded) == [("a", SENT)]
    await recorded.say(told(row, SENT))
    await recorded.say(told(row, READ))

    assert statuses(recorded) == [("a", SENT), ("a", READ)]
    assert recorded.told_of(Stored) == [Stored(positions=(7,))]


async def test_reading_overtakes_sending(recorded: RecordedDispatcher) -> None:
    """The contact may have read what we have not heard to be sent."""
    row = (await recorded.write("a")).row
    await recorded.say(read(5))

    await recorded.say(sent(row, 5))
    await recorded.say(told(row, SENT))

    assert statuses(recorded) == [("a", SENT), ("a", READ)]


async def test_only_what_was_read_is_told(recorded: RecordedDispatcher) -> None:
    """Newer messages, other chats, what is not sent yet: none of them was read."""
    rows = [(await recorded.write(name, peer)).row for name, peer in [("a", 1), ("b", 1), ("c", 2)]]
    await recorded.write("d")
    await recorded.say(*(sent(row, 5 + place) for place, row in enumerate(rows)))
    await recorded.say(*(told(row, SENT) for row in rows))
    recorded.told.clear()

    await recorded.say(read(5))

    assert statuses(recorded) == [("a", READ)]
    await recorded.say(read(5), told(rows[0], READ))
    assert len(recorded.told_of(TellStatus)) == 1


async def test_dead_message_is_an_error(recorded: RecordedDispatcher) -> None:
    """What can't be sent is told with a sentence for the employee."""
    row = (await recorded.write("a")).row

    await recorded.say(Trying(row=row), Failed(row=row, failure=Failure(code="USER_IS_BLOCKED")))

    [order] = recorded.told_of(TellStatus)
    assert (order.status, order.planfix_id) == (ERROR, "a")
    assert order.text == "The contact has blocked this number in Telegram."


async def test_replayed_message_changes_its_status(recorded: RecordedDispatcher) -> None:
    """A dead letter that is sent after all is told as sent."""
    row = (await recorded.write("a")).row
    await recorded.say(Failed(row=row, failure=Failure(code="USER_IS_BLOCKED")))
    await recorded.say(told(row, ERROR))

    await recorded.dispatcher.replay(row)
    await recorded.say()
    await recorded.say(sent(row, 5))

    assert len(recorded.told_of(Send)) == 2
    assert statuses(recorded) == [("a", ERROR), ("a", SENT)]


async def test_owed_statuses_survive(recorded: RecordedDispatcher) -> None:
    """What Planfix was not told before a crash is told after it, nothing else is."""
    rows = {name: (await recorded.write(name)).row for name in "abc"}
    await recorded.say(sent(rows["a"], 5), sent(rows["b"], 6))
    await recorded.say(Failed(row=rows["c"], failure=Failure(code="USER_IS_BLOCKED")))
    await recorded.say(told(rows["a"], SENT))
    await recorded.say(read(5))

    await recorded.reopen()

    assert statuses(recorded) == [("a", READ), ("b", SENT), ("c", ERROR)]
    await recorded.say(told(rows["a"], READ), told(rows["b"], SENT), told(rows["c"], ERROR))
    await recorded.reopen()
    assert statuses(recorded) == []


async def test_refused_status_is_not_told_again(recorded: RecordedDispatcher) -> None:
    """Planfix has had its chance: what it will never take is not owed any more."""
    row = (await recorded.write("a")).row
    await recorded.say(sent(row, 5))
    refusal = Failure(code="planfix_rejected")

    await recorded.say(StatusTold(row=row, status=SENT, failure=refusal))
    await recorded.reopen()

    assert statuses(recorded) == []


async def test_foreign_rows_are_out_of_reach(recorded: RecordedDispatcher) -> None:
    """A worker that names another number's row changes nothing there."""
    row = (await recorded.write("a")).row
    other = await other_office(recorded)

    await other.say(
        Trying(row=row),
        sent(row, 5),
        Failed(row=row, failure=Failure(code="USER_IS_BLOCKED")),
        told(row, SENT),
    )
    await other.close()

    [entry] = await recorded.entries()
    assert (entry.state, entry.attempts, entry.status) == ("pending", 0, None)


async def other_office(recorded: RecordedDispatcher) -> RecordedDispatcher:
    from supervisor.store.values import NewNumber
    from tests.unit.supervisor.conftest import RecordedDispatcher, make_dispatcher

    number = "79990000000"
    await recorded.store.numbers.create(NewNumber(number, "Other", "https://o.example", "t"))
    other = RecordedDispatcher(
        recorded.store, make_dispatcher(await recorded.store.journals.open(number))
    )
    epoch = (await recorded.store.numbers.get(number)).epoch
    await other.dispatcher.prepare(epoch)
    other.dispatcher.attach_worker(other.told.append)
    return other


@pytest.mark.parametrize("count", [1000])
async def test_many_at_once_share_commits(recorded: RecordedDispatcher, count: int) -> None:
    """All that arrive together are stored, each with its own row, handed over in that order."""
    accept = recorded.dispatcher.accept
    answers = await asyncio.gather(*(accept(outgoing(str(i), peer_id=i)) for i in range(count)))

    handed = [order.row for order in recorded.told_of(Send)]
    assert len({answer.row for answer in answers}) == count
    assert handed == sorted(answer.row for answer in answers)[: len(handed)]
    assert (await recorded.store.journals.counts())[NUMBER].backlog.out == count


async def test_notification_owes_planfix_nothing(recorded: RecordedDispatcher) -> None:
    """What Planfix did not write is not reported to it, whether it was sent, read or refused."""
    good, bad = [
        await recorded.dispatcher.accept(outgoing(name).changed(connector="notify"))
        for name in "ab"
    ]
    dead = Failed(row=bad.row, failure=Failure(code="USER_IS_BLOCKED"))

    await recorded.say(Trying(row=good.row), sent(good.row, 5), dead, read(9))

    assert statuses(recorded) == []
    assert {entry.state for entry in await recorded.entries()} == {"delivered", "dead"}
