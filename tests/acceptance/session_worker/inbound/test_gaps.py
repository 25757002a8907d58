"""What Telegram no longer hands out as updates is read from the history."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from sandbox.telegram.faults import Kind
from tests.acceptance.session_worker.inbound.inbound_number import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


async def away(inbound: InboundNumber) -> None:
    """Be there once, then not any more."""
    inbound.write("before")
    await inbound.until_texts("before")
    await inbound.until_settled()
    await inbound.stop()


async def test_a_gap_is_filled_from_the_history(inbound: InboundNumber) -> None:
    """Past differenceTooLong every message of every chat arrives once, in order."""
    await away(inbound)
    for count in range(130):
        inbound.write(f"{count}")
    inbound.write("from Ivan", sender=inbound.other)
    inbound.write("own", sender=inbound.me)
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)

    await inbound.start_again()
    await eventually(lambda: inbound.recorder.receipts)
    inbound.write("after")
    await eventually(lambda: "after" in inbound.texts)

    mine = [m.text for m in inbound.told if m.chat_id.endswith(str(inbound.contact.id))]
    assert mine == ["before", *(f"{count}" for count in range(130)), "own", "after"]
    assert "from Ivan" in inbound.texts
    (receipt,) = inbound.recorder.receipts
    assert (receipt.found, receipt.missing) == (132, 0)
    await inbound.until_settled()


async def test_a_gap_without_a_memory_goes_by_date(inbound: InboundNumber) -> None:
    """Where the last message is not known, the date of the last update tells what is new."""
    await away(inbound)
    (inbound.spool / "messages").unlink()
    inbound.write("missed")
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)

    await inbound.start_again()

    await inbound.until_texts("before", "missed")


async def test_a_chat_that_can_not_be_read_is_on_the_receipt(inbound: InboundNumber) -> None:
    """What could not be looked for is said to be missing."""
    await away(inbound)
    inbound.write("missed")
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)
    inbound.centre.fail("PEER_ID_INVALID", phone=PHONE, method="messages.getHistory", times=1)

    await inbound.start_again()

    await eventually(lambda: inbound.recorder.receipts)
    (receipt,) = inbound.recorder.receipts
    assert (receipt.found, receipt.missing) == (0, 1)
    assert str(inbound.contact.id) in receipt.detail
    await inbound.until_settled()


async def test_kill_within_a_gap_loses_no_chat(inbound: InboundNumber) -> None:
    """What a killed worker had read but nobody stored is looked for again, although newer messages were."""
    await away(inbound)
    inbound.write("from Taras")
    inbound.write("from Ivan", sender=inbound.other)
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)
    inbound.recorder.most_rows = 2
    await inbound.start_again()
    await eventually(lambda: inbound.recorder.receipts)
    await inbound.until_texts("before", "from Ivan")

    await inbound.kill()
    inbound.recorder.most_rows = inf
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)
    await inbound.start_again()

    await inbound.until_texts("before", "from Ivan", "from Taras")
    await inbound.until_settled()


async def test_a_gap_reaches_over_many_chats(inbound: InboundNumber) -> None:
    """All pages of the list of chats are gone through, groups among them left aside."""
    await away(inbound)
    people = [inbound.centre.add_account(f"4400000{n:04}", f"P{n}") for n in range(105)]
    for person in people:
        inbound.write(f"from {person.first_name}", sender=person)
    inbound.centre.groups.create(inbound.contact, "Team", [inbound.me])
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)

    await inbound.start_again()

    await eventually(lambda: len(inbound.told) == 106)
    assert set(inbound.texts[1:]) == {f"from {person.first_name}" for person in people}
    await inbound.until_settled()


async def test_a_gap_is_filled_although_the_chats_can_not_be_listed(inbound: InboundNumber) -> None:
    """Where Telegram refuses to list the chats, the messages are asked for by their ids."""
    await away(inbound)
    inbound.write("missed")
    inbound.write("from Ivan", sender=inbound.other)
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)
    inbound.centre.fail("OFFSET_PEER_ID_INVALID", phone=PHONE, method="messages.getDialogs")

    await inbound.start_again()

    await eventually(lambda: len(inbound.texts) == 3)
    assert sorted(inbound.texts) == ["before", "from Ivan", "missed"]
    (receipt,) = await eventually(lambda: inbound.recorder.receipts)
    assert (receipt.found, receipt.missing) == (2, 0)
