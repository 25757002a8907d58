"""Whatever Planfix does, messages arrive in order, once wherever that can be known."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sandbox.planfix.fault import Mode
from session_worker.protocol.messages import (
    Delivered,
    Drain,
    Drained,
    PlanfixStatus,
    TellStatus,
    Trying,
)
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


async def test_nothing_is_lost_while_planfix_is_down(inbound: InboundNumber) -> None:
    """Messages of an outage arrive afterwards, in order."""
    inbound.fault(Mode.DOWN)
    for count in range(5):
        inbound.write(f"{count}")
    await eventually(lambda: len(inbound.recorder.failures) >= 3)

    inbound.account.clear_faults()

    await inbound.until_texts("0", "1", "2", "3", "4")


async def test_an_outage_is_not_hammered(inbound: InboundNumber) -> None:
    """While Planfix is down one call at a time looks whether it is up, whatever waits."""
    inbound.fault(Mode.ERROR, status=503)
    for person in (inbound.contact, inbound.other):
        for count in range(10):
            inbound.write(f"{count}", sender=person)
    await eventually(lambda: len(inbound.recorder.failures) >= 6)

    calls = inbound.account.journal.calls
    pauses = [later.at - earlier.at for earlier, later in pairwise(calls[2:])]
    assert min(pauses) > 0.02
    inbound.account.clear_faults()
    await eventually(lambda: len(inbound.told) == 20)


async def test_a_slow_planfix_holds_up_no_other_chat(inbound: InboundNumber) -> None:
    """One chat that waits for its answer leaves the others alone."""
    inbound.write("warm")
    await inbound.until_texts("warm")
    inbound.fault(Mode.SLOW, cmd="newMessage", seconds=60, times=1)

    inbound.write("slow")
    await eventually(lambda: inbound.calls("newMessage")[-1]["message"] == "slow")
    inbound.write("quick", sender=inbound.other)

    await inbound.until_texts("warm", "quick")
    await inbound.kill()


async def test_a_refused_message_is_dead_the_next_is_not(inbound: InboundNumber) -> None:
    """What Planfix refuses for good is told so; those behind it go on."""
    inbound.fault(Mode.REFUSE, cmd="newMessage", times=1)
    inbound.write("bad")
    inbound.write("good")

    await inbound.until_texts("good")
    assert inbound.recorder.failures == ["planfix_rejected"]


async def test_a_wrong_key_pauses_everything(inbound: InboundNumber) -> None:
    """After a 401 nothing is tried for minutes: the backlog is not burnt through."""
    inbound.fault(Mode.UNAUTHORIZED)
    for count in range(5):
        inbound.write(f"{count}")

    await eventually(lambda: inbound.recorder.failures)
    await inbound.until_settled()
    assert set(inbound.recorder.failures) == {"planfix_unauthorized"}
    assert len(inbound.account.journal.calls) <= 2


async def test_a_lost_answer_to_a_first_message_is_found_out(inbound: InboundNumber) -> None:
    """The task that a first message made proves that it was taken: it is not repeated."""
    inbound.fault(Mode.LOST_ANSWER, cmd="newMessage", times=1)
    inbound.write("first")

    await eventually(lambda: inbound.recorder.delivered)
    assert inbound.texts == ["first"]
    assert inbound.recorder.failures == ["planfix_answer_lost"]


async def test_a_lost_answer_later_is_repeated(inbound: InboundNumber) -> None:
    """Where nobody can tell, a message rather comes twice than never."""
    inbound.write("first")
    await inbound.until_texts("first")
    inbound.fault(Mode.LOST_ANSWER, cmd="newMessage", times=1)

    inbound.write("second")

    await inbound.until_texts("first", "second", "second")
    assert inbound.recorder.failures == ["planfix_answer_lost"]


async def test_no_answer_in_time_counts_as_lost(inbound: InboundNumber) -> None:
    """A call that hangs is given up, then checked like any lost answer."""
    inbound.timeouts = type(inbound.timeouts)(connect=1.0, answer=1.0)
    await inbound.stop()
    await inbound.start()
    inbound.fault(Mode.SLOW, cmd="newMessage", seconds=3.0, times=1)
    inbound.write("once")

    await eventually(lambda: inbound.recorder.delivered)
    assert inbound.recorder.failures[0] == "planfix_answer_lost"
    assert inbound.texts[0] == "once"


async def test_a_kill_between_the_call_and_its_answer_doubles_no_first_message(
    inbound: InboundNumber,
) -> None:
    """After a crash the task tells whether the try under way got through."""
    inbound.fault(Mode.SLOW, cmd="newMessage", seconds=1.0, times=1)
    inbound.write("once")
    await eventually(lambda: any(isinstance(event, Trying) for event in inbound.recorder.events))
    await eventually(lambda: inbound.calls("newMessage"))

    await inbound.kill()
    await inbound.until_texts("once")
    await inbound.start_again()

    await eventually(lambda: inbound.recorder.delivered)
    assert inbound.texts == ["once"]


async def test_what_came_while_we_were_away_arrives(inbound: InboundNumber) -> None:
    """A number that starts again delivers what was written meanwhile."""
    inbound.write("before")
    await inbound.until_texts("before")
    await inbound.until_settled()
    await inbound.stop()

    for count in range(120):
        inbound.write(f"{count}")
    await inbound.start_again()

    await inbound.until_texts("before", *(f"{count}" for count in range(120)))
    await eventually(lambda: inbound.recorder.receipts)
    (receipt,) = inbound.recorder.receipts
    assert (receipt.found, receipt.missing) == (120, 0)


async def test_a_stop_waits_for_the_call_under_way(idle: InboundNumber) -> None:
    """A message that is being delivered when the worker stops has its answer heard."""
    inbound = idle
    inbound.grace = PATIENCE
    await inbound.start()
    inbound.fault(Mode.SLOW, cmd="newMessage", seconds=0.4, times=1)
    inbound.write("last")
    await eventually(lambda: inbound.calls("newMessage"))

    await inbound.stop()

    assert inbound.recorder.delivered == [1]


async def test_drained_number_reports_all_that_planfix_gets(inbound: InboundNumber) -> None:
    """A number that is to move ends what is on its way, says so after that, and starts nothing."""
    inbound.fault(Mode.SLOW, cmd="newMessage", seconds=0.4, times=1)
    inbound.write("on its way")
    await eventually(lambda: inbound.calls("newMessage"))
    assert inbound.recorder.number is not None
    await inbound.recorder.number.handle(Drain())
    inbound.write("later", sender=inbound.other)

    await eventually(lambda: Drained() in inbound.recorder.events, awaited="drained")

    told = [each for each in inbound.recorder.events if isinstance(each, Delivered | Drained)]
    assert told == [Delivered(row=1), Drained()]
    await eventually(lambda: len(inbound.recorder.rows) == 2, awaited="the later message stored")
    assert inbound.texts == ["on its way"]
    await inbound.stop()
    await inbound.start_again()
    await eventually(lambda: inbound.texts == ["on its way", "later"], awaited="both")


async def test_what_was_not_stored_is_handed_up_again(inbound: InboundNumber) -> None:
    """An update counts as seen only when it is stored."""
    await inbound.until_settled()
    inbound.recorder.stores = False
    inbound.write("once")
    await eventually(lambda: any(e.kind == "received" for e in inbound.recorder.events))

    await inbound.kill()
    inbound.recorder.stores = True
    await inbound.start_again()

    await inbound.until_texts("once")


async def test_statuses_are_told_in_order_through_an_outage(inbound: InboundNumber) -> None:
    """Each status reaches Planfix, none overtakes another of its message."""
    inbound.fault(Mode.DOWN, times=3)
    for status in (PlanfixStatus.SENT, PlanfixStatus.READ):
        inbound.recorder.commands.put_nowait(TellStatus(row=7, planfix_id="41", status=status))

    await eventually(lambda: len(inbound.recorder.told) == 2)
    told = [(s.message_id, s.status) for s in inbound.account.journal.statuses]
    assert told == [("41", "sent"), ("41", "read")]
    assert [event.failure for event in inbound.recorder.told] == [None, None]


async def test_a_refused_status_is_given_up(inbound: InboundNumber) -> None:
    """A status that Planfix will never take is reported with the reason."""
    inbound.fault(Mode.REFUSE, times=1)
    order = TellStatus(row=7, planfix_id="41", status=PlanfixStatus.ERROR, text="blocked")
    inbound.recorder.commands.put_nowait(order)

    await eventually(lambda: inbound.recorder.told)
    failure = inbound.recorder.told[0].failure
    assert failure is not None
    assert failure.code == "planfix_rejected"
