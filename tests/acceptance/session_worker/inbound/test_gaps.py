"""What Telegram no longer hands out as updates is read from the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.telegram.faults import Kind
from tests.acceptance.session_worker.inbound.bench import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.bench import Bench


async def away(bench: Bench) -> None:
    """Be there once, then not any more."""
    bench.write("before")
    await bench.until_texts("before")
    await bench.until_settled()
    await bench.stop()


async def test_a_gap_is_filled_from_the_history(bench: Bench) -> None:
    """Past differenceTooLong every message of every chat arrives once, in order."""
    await away(bench)
    for count in range(130):
        bench.write(f"{count}")
    bench.write("from Ivan", sender=bench.other)
    bench.write("own", sender=bench.me)
    bench.centre.afflict(Kind.TOO_LONG, PHONE)

    await bench.start_again()
    await eventually(lambda: bench.desk.receipts)
    bench.write("after")
    await eventually(lambda: "after" in bench.texts)

    mine = [m.text for m in bench.told if m.chat_id.endswith(str(bench.contact.id))]
    assert mine == ["before", *(f"{count}" for count in range(130)), "own", "after"]
    assert "from Ivan" in bench.texts
    (receipt,) = bench.desk.receipts
    assert (receipt.found, receipt.missing) == (132, 0)
    await bench.until_settled()


async def test_a_gap_without_a_memory_goes_by_date(bench: Bench) -> None:
    """Where the last message is not known, the date of the last update tells what is new."""
    await away(bench)
    (bench.spool / "messages").unlink()
    bench.write("missed")
    bench.centre.afflict(Kind.TOO_LONG, PHONE)

    await bench.start_again()

    await bench.until_texts("before", "missed")


async def test_a_chat_that_can_not_be_read_is_on_the_receipt(bench: Bench) -> None:
    """What could not be looked for is said to be missing."""
    await away(bench)
    bench.write("missed")
    bench.centre.afflict(Kind.TOO_LONG, PHONE)
    bench.centre.fail("PEER_ID_INVALID", phone=PHONE, method="messages.getHistory", times=1)

    await bench.start_again()

    await eventually(lambda: bench.desk.receipts)
    (receipt,) = bench.desk.receipts
    assert (receipt.found, receipt.missing) == (0, 1)
    assert str(bench.contact.id) in receipt.detail
    await bench.until_settled()


async def test_a_gap_reaches_over_many_chats(bench: Bench) -> None:
    """All pages of the list of chats are gone through, groups among them left aside."""
    await away(bench)
    people = [bench.centre.add_account(f"4400000{n:04}", f"P{n}") for n in range(105)]
    for person in people:
        bench.write(f"from {person.first_name}", sender=person)
    bench.centre.groups.create(bench.contact, "Team", [bench.me])
    bench.centre.afflict(Kind.TOO_LONG, PHONE)

    await bench.start_again()

    await eventually(lambda: len(bench.told) == 106)
    assert set(bench.texts[1:]) == {f"from {person.first_name}" for person in people}
    await bench.until_settled()
