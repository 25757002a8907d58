"""A database that is away, or that has stored what it could not confirm."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from session_worker.protocol.messages import (
    ChatMemory,
    ChatRemembered,
    Deliver,
    Delivered,
    Failed,
    Failure,
    PlanfixStatus,
    Send,
    Stored,
    TellStatus,
    Trying,
)
from supervisor.errors import DatabaseUnavailable
from supervisor.journal.journal import Journal
from tests.support.waiting import eventually
from tests.unit.supervisor.conftest import Office, make_dispatcher
from tests.unit.supervisor.rows import NUMBER, received, sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from session_worker.protocol.messages import MessageEvent
    from supervisor.store.store import Store


class Unsteady(Journal):
    """A journal whose database fails, before or after it has stored something."""

    is_down = False
    is_mute = False
    is_stuck = False
    has_stored = False

    async def record(self, *args: Any) -> Any:
        return await self._unsteadily(super().record(*args))

    async def accept(self, *args: Any, **keywords: Any) -> Any:
        return await self._unsteadily(super().accept(*args, **keywords))

    async def _unsteadily(self, writing: Any) -> Any:
        if self.is_down:
            writing.close()
            raise DatabaseUnavailable
        answer = await writing
        self.has_stored = True
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.is_mute:
            raise DatabaseUnavailable
        return answer


@pytest.fixture
async def journal(store: Store) -> Unsteady:
    opened = await store.journals.open(NUMBER)
    return Unsteady(opened._database, opened._cipher)


@pytest.fixture
async def shaky(store: Store, journal: Unsteady) -> AsyncIterator[Office]:
    office = Office(store, make_dispatcher(journal))
    await office.open()
    yield office
    await office.close()


async def test_nothing_is_acknowledged_while_it_is_down(shaky: Office, journal: Unsteady) -> None:
    """The worker is not told that a message is stored before it is."""
    journal.is_down = True
    with pytest.raises(DatabaseUnavailable):
        await shaky.say(received(5))
    with pytest.raises(DatabaseUnavailable):
        await shaky.write("a")
    assert shaky.told == []

    journal.is_down = False
    await shaky.say(received(5))
    await shaky.write("a")
    await shaky.say()

    kinds = {type(command) for command in shaky.told}
    assert kinds == {Stored, Deliver, Send}
    assert len(shaky.told) == 3


async def test_lost_confirmation_loses_nothing(shaky: Office, journal: Unsteady) -> None:
    """What was stored although the database said it failed is handed over once, when repeated."""
    journal.is_mute = True
    with pytest.raises(DatabaseUnavailable):
        await shaky.say(received(5))
    with pytest.raises(DatabaseUnavailable):
        await shaky.write("a")

    journal.is_mute = False
    await shaky.say(received(5))
    repeated = await shaky.write("a")
    await shaky.say()

    assert repeated.is_repeat
    assert [order.incoming.message_ids for order in shaky.told_of(Deliver)] == [(5,)]
    assert [order.row for order in shaky.told_of(Send)] == [repeated.row]


async def test_accepted_without_our_knowing(shaky: Office, journal: Unsteady) -> None:
    """A message that was stored although we answered that it was not is sent all the same."""
    journal.is_mute = True

    with pytest.raises(DatabaseUnavailable):
        await shaky.write("a")

    journal.is_mute = False
    await eventually(lambda: len(shaky.told_of(Send)) == 1)


async def test_lost_confirmation_of_words(shaky: Office, journal: Unsteady) -> None:
    """Outcomes that were stored without our knowing have all their consequences."""
    rows = [(await shaky.write(name)).row for name in "ab"]
    await shaky.say(received(5), received(6))
    incoming = [order.row for order in shaky.told_of(Deliver)]
    words: list[MessageEvent] = [
        Trying(row=rows[0]),
        sent(rows[0], 8),
        Failed(row=rows[1], failure=Failure(code="USER_IS_BLOCKED")),
        Delivered(row=incoming[0]),
        Failed(row=incoming[1], failure=Failure(code="planfix_rejected")),
    ]
    journal.is_mute = True
    with pytest.raises(DatabaseUnavailable):
        await shaky.say(*words)

    journal.is_mute = False
    await shaky.say(*words)

    assert {order.status for order in shaky.told_of(TellStatus)} == {
        PlanfixStatus.SENT,
        PlanfixStatus.ERROR,
    }
    in_flight = [hand_over.in_flight.rows for hand_over in shaky.dispatcher.hand_overs]
    assert in_flight[:2] == [{}, {}]
    assert len(shaky.told_of(Send)) == len(shaky.told_of(Deliver)) == 2


async def test_own_echo_of_a_lost_confirmation(shaky: Office, journal: Unsteady) -> None:
    """An echo that is waiting is dropped, even if we were not told that it was."""
    row = (await shaky.write("a")).row
    await shaky.say(Trying(row=row))
    await shaky.say(received(8, is_echo=True))
    journal.is_mute = True
    with pytest.raises(DatabaseUnavailable):
        await shaky.say(sent(row, 8))

    journal.is_mute = False
    await shaky.say(sent(row, 8))

    assert shaky.told_of(Deliver) == []


async def test_memory_stored_with_the_last_words_reaches_the_next_worker(
    shaky: Office, journal: Unsteady
) -> None:
    """A chat's task that was stored, though nobody heard so, is known to the next worker.

    Without it the next worker takes the task for proof that a message it never sent had arrived.
    """
    await shaky.say(received(5))
    row = shaky.told_of(Deliver)[0].row
    journal.is_stuck = True
    memory = ChatRemembered(chat=ChatMemory(peer_id=1, task=17))
    last_words = asyncio.create_task(shaky.dispatcher.record_events([memory, Trying(row=row)]))
    journal.has_stored = False
    await eventually(lambda: journal.has_stored)
    last_words.cancel()
    await asyncio.wait({last_words})
    journal.is_stuck = False

    await shaky.close()
    await shaky.open()

    again = shaky.told_of(Deliver)[0]
    assert again.is_uncertain
    assert again.chat.task == 17
