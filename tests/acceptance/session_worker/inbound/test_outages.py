"""Whatever Planfix does, messages arrive in order, once wherever that can be known."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sandbox.planfix.fault import Mode
from session_worker.protocol.messages import PlanfixStatus, TellStatus, Trying
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.bench import Bench


async def test_nothing_is_lost_while_planfix_is_down(bench: Bench) -> None:
    """Messages of an outage arrive afterwards, in order."""
    bench.fault(Mode.DOWN)
    for count in range(5):
        bench.write(f"{count}")
    await eventually(lambda: len(bench.desk.failures) >= 3)

    bench.account.clear_faults()

    await bench.until_texts("0", "1", "2", "3", "4")


async def test_an_outage_is_not_hammered(bench: Bench) -> None:
    """While Planfix is down one call at a time looks whether it is up, whatever waits."""
    bench.fault(Mode.ERROR, status=503)
    for person in (bench.contact, bench.other):
        for count in range(10):
            bench.write(f"{count}", sender=person)
    await eventually(lambda: len(bench.desk.failures) >= 6)

    calls = bench.account.journal.calls
    pauses = [later.at - earlier.at for earlier, later in pairwise(calls[2:])]
    assert min(pauses) > 0.02
    bench.account.clear_faults()
    await eventually(lambda: len(bench.told) == 20)


async def test_a_slow_planfix_holds_up_no_other_chat(bench: Bench) -> None:
    """One chat that waits for its answer leaves the others alone."""
    bench.write("warm")
    await bench.until_texts("warm")
    bench.fault(Mode.SLOW, cmd="newMessage", seconds=60, times=1)

    bench.write("slow")
    await eventually(lambda: bench.calls("newMessage")[-1]["message"] == "slow")
    bench.write("quick", sender=bench.other)

    await bench.until_texts("warm", "quick")
    await bench.kill()


async def test_a_refused_message_is_dead_the_next_is_not(bench: Bench) -> None:
    """What Planfix refuses for good is told so; those behind it go on."""
    bench.fault(Mode.REFUSE, cmd="newMessage", times=1)
    bench.write("bad")
    bench.write("good")

    await bench.until_texts("good")
    assert bench.desk.failures == ["planfix_rejected"]


async def test_a_wrong_key_pauses_everything(bench: Bench) -> None:
    """After a 401 nothing is tried for minutes: the backlog is not burnt through."""
    bench.fault(Mode.UNAUTHORIZED)
    for count in range(5):
        bench.write(f"{count}")

    await eventually(lambda: bench.desk.failures)
    await bench.until_settled()
    assert set(bench.desk.failures) == {"planfix_unauthorized"}
    assert len(bench.account.journal.calls) <= 2


async def test_a_lost_answer_to_a_first_message_is_found_out(bench: Bench) -> None:
    """The task that a first message made proves that it was taken: it is not repeated."""
    bench.fault(Mode.LOST_ANSWER, cmd="newMessage", times=1)
    bench.write("first")

    await eventually(lambda: bench.desk.delivered)
    assert bench.texts == ["first"]
    assert bench.desk.failures == ["planfix_answer_lost"]


async def test_a_lost_answer_later_is_repeated(bench: Bench) -> None:
    """Where nobody can tell, a message rather comes twice than never."""
    bench.write("first")
    await bench.until_texts("first")
    bench.fault(Mode.LOST_ANSWER, cmd="newMessage", times=1)

    bench.write("second")

    await bench.until_texts("first", "second", "second")
    assert bench.desk.failures == ["planfix_answer_lost"]


async def test_no_answer_in_time_counts_as_lost(bench: Bench) -> None:
    """A call that hangs is given up, then checked like any lost answer."""
    bench.timeouts = type(bench.timeouts)(connect=1.0, answer=1.0)
    await bench.stop()
    await bench.start()
    bench.fault(Mode.SLOW, cmd="newMessage", seconds=3.0, times=1)
    bench.write("once")

    await eventually(lambda: bench.desk.delivered)
    assert bench.desk.failures[0] == "planfix_answer_lost"
    assert bench.texts[0] == "once"


async def test_a_kill_between_the_call_and_its_answer_doubles_no_first_message(
    bench: Bench,
) -> None:
    """After a crash the task tells whether the try under way got through."""
    bench.fault(Mode.SLOW, cmd="newMessage", seconds=1.0, times=1)
    bench.write("once")
    await eventually(lambda: any(isinstance(event, Trying) for event in bench.desk.events))
    await eventually(lambda: bench.calls("newMessage"))

    await bench.kill()
    await bench.until_texts("once")
    await bench.start_again()

    await eventually(lambda: bench.desk.delivered)
    assert bench.texts == ["once"]


async def test_what_came_while_we_were_away_arrives(bench: Bench) -> None:
    """A number that starts again delivers what was written meanwhile."""
    bench.write("before")
    await bench.until_texts("before")
    await bench.until_settled()
    await bench.stop()

    for count in range(120):
        bench.write(f"{count}")
    await bench.start_again()

    await bench.until_texts("before", *(f"{count}" for count in range(120)))
    await eventually(lambda: bench.desk.receipts)
    (receipt,) = bench.desk.receipts
    assert (receipt.found, receipt.missing) == (120, 0)


async def test_a_stop_waits_for_the_call_under_way(bench: Bench) -> None:
    """A message that is being delivered when the worker stops has its answer heard."""
    bench.fault(Mode.SLOW, cmd="newMessage", seconds=0.4, times=1)
    bench.write("last")
    await eventually(lambda: bench.calls("newMessage"))

    await bench.stop()

    assert bench.desk.delivered == [1]


async def test_what_was_not_stored_is_handed_up_again(bench: Bench) -> None:
    """An update counts as seen only when it is stored."""
    await bench.until_settled()
    bench.desk.stores = False
    bench.write("once")
    await eventually(lambda: any(e.kind == "received" for e in bench.desk.events))

    await bench.kill()
    bench.desk.stores = True
    await bench.start_again()

    await bench.until_texts("once")


async def test_statuses_are_told_in_order_through_an_outage(bench: Bench) -> None:
    """Each status reaches Planfix, none overtakes another of its message."""
    bench.fault(Mode.DOWN, times=3)
    for status in (PlanfixStatus.SENT, PlanfixStatus.READ):
        bench.desk.commands.put_nowait(TellStatus(row=7, planfix_id="41", status=status))

    await eventually(lambda: len(bench.desk.told) == 2)
    told = [(s.message_id, s.status) for s in bench.account.journal.statuses]
    assert told == [("41", "sent"), ("41", "read")]
    assert [event.failure for event in bench.desk.told] == [None, None]


async def test_a_refused_status_is_given_up(bench: Bench) -> None:
    """A status that Planfix will never take is reported with the reason."""
    bench.fault(Mode.REFUSE, times=1)
    order = TellStatus(row=7, planfix_id="41", status=PlanfixStatus.ERROR, text="blocked")
    bench.desk.commands.put_nowait(order)

    await eventually(lambda: bench.desk.told)
    failure = bench.desk.told[0].failure
    assert failure is not None
    assert failure.code == "planfix_rejected"
