"""Messages to strangers keep within the budgets of the number; nothing is lost and nothing repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from session_worker.protocol.messages import Contact, Deliver, Failed, Failure, Send
from supervisor.database.tables import Direction
from supervisor.errors import ResolvingDelayed
from supervisor.governor.budget import ANSWERS_ONLY, BUDGET_SPENT, DAY
from supervisor.journal.browsing import Selection
from supervisor.journal.worker_report import report_of
from supervisor.messages.dispatcher import Dispatcher
from supervisor.messages.file_links import FileLinks
from tests.support.waiting import eventually
from tests.unit.supervisor.conftest import RecordedDispatcher
from tests.unit.supervisor.rows import NUMBER, outgoing, received, sent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.journal.journal import Journal
    from supervisor.journal.values import Accepted, Entry
    from supervisor.store.store import Store

SMALL = {"first_contacts_per_day": 4, "growth_per_day": 0, "burst": 2, "variance": 0.0}


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Governed(NamedTuple):
    """A dispatcher of a number with small budgets, and the clock that its governor goes by."""

    recorded: RecordedDispatcher
    clock: Clock

    async def write(self, planfix_id: str, peer_id: int) -> Accepted:
        """Write to somebody who was searched for."""
        contact = Contact(peer_id=peer_id, first_name="Taras")
        return await self.recorded.dispatcher.accept(outgoing(planfix_id, peer_id), contact)

    async def answer(self, planfix_id: str, peer_id: int) -> Accepted:
        return await self.recorded.dispatcher.accept(outgoing(planfix_id, peer_id))

    def handed_over(self) -> list[str]:
        return [order.outgoing.planfix_id for order in self.recorded.told_of(Send)]

    async def until_handed_over(self, *planfix_ids: str) -> None:
        await eventually(lambda: self.handed_over() == list(planfix_ids))

    def notices(self) -> list[str]:
        return [order.incoming.text for order in self.recorded.told_of(Deliver)]

    async def pending(self) -> list[Entry]:
        entries = await self.recorded.dispatcher.journal.list(Selection(Direction.OUT))
        return [entry for entry in reversed(entries) if entry.state == "pending"]

    async def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.recorded.dispatcher.governor.wake()

    async def restart(self) -> None:
        """Attach another worker under a gateway that remembers nothing."""
        await self.recorded.close()
        journal = await self.recorded.store.journals.open(NUMBER)
        self.recorded.dispatcher = _dispatcher(journal, self.clock)
        await self.recorded.open()


def _dispatcher(journal: Journal, clock: Clock) -> Dispatcher:
    links = FileLinks([b"k" * 32], "https://gateway.example", 30 * DAY)
    return Dispatcher(journal, links, "en", clock)


@pytest.fixture
async def governed(store: Store) -> AsyncIterator[Governed]:
    created = (await store.numbers.get(NUMBER)).created
    await store.journals.budgets(NUMBER).save_settings(SMALL)
    clock = Clock(created.timestamp())
    recorded = RecordedDispatcher(store, _dispatcher(await store.journals.open(NUMBER), clock))
    await recorded.open()
    yield Governed(recorded, clock)
    await recorded.close()


async def test_burst_goes_at_once_and_the_rest_waits(governed: Governed) -> None:
    """Two strangers are written to at once, the third when the budget has grown by one."""
    for peer_id in (11, 12, 13):
        await governed.write(f"to {peer_id}", peer_id)
    await governed.until_handed_over("to 11", "to 12")

    waiting = (await governed.pending())[-1]
    expected = governed.clock.now + DAY / 4
    assert (waiting.error_code, waiting.next_try) == (BUDGET_SPENT, expected)
    await governed.pass_time(DAY / 4 - 1)
    assert governed.handed_over() == ["to 11", "to 12"]

    await governed.pass_time(1)

    await governed.until_handed_over("to 11", "to 12", "to 13")
    assert governed.recorded.told_of(Send)[-1].next_try == 0.0
    assert all(order.is_first for order in governed.recorded.told_of(Send))


async def test_planfix_is_told_what_waits(governed: Governed) -> None:
    """The chat in Planfix gets one line of our own side that says why and until when."""
    for peer_id in (11, 12, 13):
        await governed.write(f"to {peer_id}", peer_id)
    await governed.answer("also to 13", 13)

    await eventually(lambda: len(governed.notices()) == 1)

    [notice] = governed.recorded.told_of(Deliver)
    assert notice.incoming.is_echo
    assert notice.incoming.contact.first_name == "Taras"
    assert notice.incoming.peer_id == 13
    assert "as is safe" in notice.incoming.text


async def test_answers_are_free(governed: Governed) -> None:
    """However many messages go to known chats, none of them waits or counts."""
    await governed.recorded.say(received(1, peer_id=5))
    names = [f"answer {count}" for count in range(10)]
    for name in names:
        await governed.answer(name, 5)

    await governed.until_handed_over(*names)
    outlook = await governed.recorded.dispatcher.journal.budgets.outlook(governed.clock.now)
    assert (outlook.used, outlook.left, outlook.waiting) == (0, 4, 0)


async def test_later_messages_keep_their_place(governed: Governed) -> None:
    """What is written to a stranger whose first message waits, waits behind it."""
    for peer_id in (11, 12, 13):
        await governed.write(f"to {peer_id}", peer_id)
    await governed.answer("more to 13", 13)
    await governed.until_handed_over("to 11", "to 12")

    await governed.pass_time(DAY)

    await governed.until_handed_over("to 11", "to 12", "to 13", "more to 13")


async def test_restart_gives_nothing_back(governed: Governed) -> None:
    """A gateway that starts again knows what was used, and who waits."""
    for peer_id in (11, 12, 13):
        await governed.write(f"to {peer_id}", peer_id)
    written = (await governed.pending())[:2]
    await governed.recorded.say(*(sent(row.id, row.id) for row in written))

    await governed.restart()
    await governed.write("to 14", 14)
    assert governed.handed_over() == []
    await governed.pass_time(DAY / 4)
    await governed.until_handed_over("to 13")
    await governed.pass_time(DAY / 4)

    await governed.until_handed_over("to 13", "to 14")


async def test_stranger_who_writes_is_answered(governed: Governed) -> None:
    """A stranger who writes before their turn makes our message an answer, which costs nothing."""
    for peer_id in (11, 12, 13, 14):
        await governed.write(f"to {peer_id}", peer_id)
    await governed.until_handed_over("to 11", "to 12")

    await governed.recorded.say(received(1, peer_id=14))

    await governed.until_handed_over("to 11", "to 12", "to 14")
    assert [order.is_first for order in governed.recorded.told_of(Send)] == [True, True, False]
    outlook = await governed.recorded.dispatcher.journal.budgets.outlook(governed.clock.now)
    assert (outlook.used, outlook.waiting) == (2, 1)


@pytest.mark.parametrize("code", ["PEER_FLOOD", "FROZEN_METHOD_INVALID"])
async def test_suspicion_leaves_only_answers(governed: Governed, code: str) -> None:
    """After Telegram's suspicion strangers wait until it ends, and answers go on; a restart knows."""
    first = await governed.write("to 11", 11)
    await governed.recorded.say(Failed(row=first.row, failure=Failure(code=code)))

    await governed.write("to 12", 12)
    await governed.answer("answer", 11)
    await governed.until_handed_over("to 11", "answer")
    await governed.restart()
    await governed.pass_time(3599)
    assert "to 12" not in governed.handed_over()

    [waiting] = [entry for entry in await governed.pending() if entry.key == "to 12"]
    assert waiting.error_code == ANSWERS_ONLY
    outlook = await governed.recorded.dispatcher.journal.budgets.outlook(governed.clock.now)
    assert outlook.suspicion is not None
    assert (outlook.suspicion.cause, outlook.left) == (code, 0)
    await governed.pass_time(1)
    await eventually(lambda: "to 12" in governed.handed_over())


async def test_phone_look_ups_are_counted(governed: Governed) -> None:
    """When the look-ups of a day are used, the caller is told how long to wait, also after a restart."""
    budgets = governed.recorded.store.journals.budgets(NUMBER)
    await budgets.save_settings({"look_ups_per_day": 2})
    await governed.restart()
    for _ in range(2):
        await governed.recorded.dispatcher.governor.count_look_up()
    await governed.restart()

    with pytest.raises(ResolvingDelayed) as refusal:
        await governed.recorded.dispatcher.governor.count_look_up()

    assert refusal.value.retry_after == DAY
    governed.clock.now += DAY
    await governed.recorded.dispatcher.governor.count_look_up()


async def test_budget_can_be_switched_off(governed: Governed) -> None:
    """A number without a governor writes to whomever it is told to, also to those who waited."""
    for peer_id in (11, 12, 13):
        await governed.write(f"to {peer_id}", peer_id)
    await governed.recorded.store.journals.budgets(NUMBER).save_settings({"enabled": False})

    await governed.restart()
    await governed.write("to 14", 14)

    await eventually(lambda: {"to 13", "to 14"} <= set(governed.handed_over()))


async def test_answer_that_was_stored_last_is_known(governed: Governed) -> None:
    """A gateway that ends between storing an answer and admitting its author makes nobody wait."""
    for peer_id in (11, 12, 13, 14):
        await governed.write(f"to {peer_id}", peer_id)
    await governed.until_handed_over("to 11", "to 12")
    recorded = governed.recorded
    epoch = (await recorded.store.numbers.get(NUMBER)).epoch
    await recorded.dispatcher.journal.record(epoch, report_of([received(1, peer_id=14)]), ())

    await governed.restart()

    await governed.until_handed_over("to 11", "to 12", "to 14")
    assert [each.peer_id for each in await governed.pending()] == [11, 12, 13, 14]
    outlook = await recorded.dispatcher.journal.budgets.outlook(governed.clock.now)
    assert (outlook.used, outlook.waiting) == (2, 1)
