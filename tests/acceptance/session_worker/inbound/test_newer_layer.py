"""An object that our layer does not have stops nothing but the message it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode
from tests.acceptance.session_worker.inbound.inbound_number import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from session_worker.protocol.messages import GapFilled
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


def write_newer(inbound: InboundNumber, text: str = "newer") -> int:
    """Let the contact write something that the number's layer does not have."""
    inbound.centre.afflict(Kind.NEWER_LAYER, PHONE)
    content = inbound.write(text).message.content
    inbound.centre.clear_faults()
    return content.copies[inbound.me.id]


async def away(inbound: InboundNumber) -> None:
    """Be there once, then not any more."""
    inbound.write("before")
    await inbound.until_texts("before")
    await inbound.until_settled()
    await inbound.stop()


def missing(inbound: InboundNumber) -> list[GapFilled]:
    return [receipt for receipt in inbound.recorder.receipts if receipt.missing]


def troubles(inbound: InboundNumber) -> list[TroubleCode]:
    changes = [event for event in inbound.recorder.events if isinstance(event, SessionChanged)]
    return [change.trouble.code for change in changes if change.trouble]


async def test_what_can_not_be_decoded_is_stepped_over(inbound: InboundNumber) -> None:
    """After an absence all else arrives in order; the receipt says what is missing and why."""
    await away(inbound)
    for count in range(150):
        inbound.write(f"{count}")
    newer = write_newer(inbound)
    inbound.write("after", sender=inbound.other)
    inbound.write("after")

    await inbound.start_again()

    await eventually(lambda: len(inbound.told) == 153)
    mine = [m.text for m in inbound.told if m.chat_id.endswith(str(inbound.contact.id))]
    assert mine == ["before", *(f"{count}" for count in range(150)), "after"]
    await inbound.until_settled()
    (receipt,) = missing(inbound)
    assert (receipt.found, receipt.missing) == (0, 1)
    assert f"message {newer}" in receipt.detail
    assert "layer" in receipt.detail
    assert inbound.recorder.state is SessionState.ONLINE
    assert troubles(inbound)[-1] is TroubleCode.LAYER
    assert inbound.centre.count_connections(PHONE).logins == 0


@pytest.mark.parametrize("length", [5, 3000], ids=["plain", "gzip"])
async def test_a_live_update_that_can_not_be_decoded_costs_only_itself(
    inbound: InboundNumber, length: int
) -> None:
    """The line is kept, what comes with it in one packet is heard, nothing waits for a poll."""
    await inbound.until_settled()
    inbound.write("one")
    write_newer(inbound, "n" * length)
    inbound.write("two")

    await inbound.until_texts("one", "two")
    await eventually(lambda: missing(inbound))
    await inbound.until_settled()

    assert [receipt.missing for receipt in missing(inbound)] == [1]
    assert SessionState.RECONNECTING not in inbound.recorder.states
    assert inbound.recorder.state is SessionState.ONLINE
    assert troubles(inbound)[-1] is TroubleCode.LAYER


async def test_nothing_but_undecodable_updates_is_no_deafness(inbound: InboundNumber) -> None:
    """They were announced, so Telegram is heard, poll after poll."""
    for count in range(4):
        write_newer(inbound)
        await eventually(lambda wanted=count + 1: len(missing(inbound)) == wanted)  # type: ignore[misc]  # mypy knows no defaults of a lambda
        await inbound.until_settled()

    assert set(inbound.recorder.states) <= {SessionState.CONNECTING, SessionState.ONLINE}


async def test_undecodable_ones_at_both_ends_are_counted_each(inbound: InboundNumber) -> None:
    """First, last, several in a row: each is missing once, the rest arrives."""
    await away(inbound)
    newer = [write_newer(inbound), write_newer(inbound)]
    inbound.write("one")
    newer.append(write_newer(inbound))
    inbound.write("two")
    newer.append(write_newer(inbound))

    await inbound.start_again()

    await inbound.until_texts("before", "one", "two")
    await inbound.until_settled()
    assert sum(receipt.missing for receipt in missing(inbound)) == 4
    said = " ".join(receipt.detail for receipt in missing(inbound))
    assert all(f"message {message_id}" in said for message_id in newer)


async def test_edits_and_deletions_beside_it_arrive(inbound: InboundNumber) -> None:
    """The difference goes on behind what was left out, as the history could not."""
    posted = inbound.write("typo")
    await inbound.until_texts("typo")
    await inbound.until_settled()
    await inbound.stop()
    write_newer(inbound)
    inbound.centre.message_actions.edit(inbound.contact, posted.message.id, Draft("correct"))

    await inbound.start_again()

    await eventually(lambda: len(inbound.told) == 2)
    assert "correct" in inbound.texts[1]
    await inbound.until_settled()


async def test_without_any_difference_the_history_is_read(inbound: InboundNumber) -> None:
    """Where no slice can be decoded every message still arrives once, in order."""
    await away(inbound)
    for count in range(130):
        inbound.write(f"{count}")
    inbound.centre.answer_newer("updates.getDifference", phone=PHONE)

    await inbound.start_again()

    await inbound.until_texts("before", *(f"{count}" for count in range(130)))
    await inbound.until_settled()
    assert sum(receipt.found for receipt in inbound.recorder.receipts) == 130
    assert not missing(inbound)


@pytest.mark.parametrize("is_last", [True, False], ids=["newest", "among others"])
async def test_a_history_is_read_around_it(inbound: InboundNumber, is_last: bool) -> None:
    """In a gap too long for a difference, too, only what can't be decoded is missing."""
    await away(inbound)
    inbound.write("one")
    inbound.write("from Ivan", sender=inbound.other)
    newer = write_newer(inbound)
    if not is_last:
        inbound.write("two")
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)

    await inbound.start_again()

    expected = ["before", "one", *([] if is_last else ["two"])]
    await eventually(lambda: len(inbound.told) == len(expected) + 1)
    assert [text for text in inbound.texts if text != "from Ivan"] == expected
    await eventually(lambda: inbound.recorder.receipts)
    (receipt,) = inbound.recorder.receipts
    assert (receipt.found, receipt.missing) == (len(expected), 1)
    assert f"message {newer}" in receipt.detail
    await inbound.until_settled()


async def test_without_a_memory_a_chat_that_can_not_be_decoded_is_missing(
    inbound: InboundNumber,
) -> None:
    """Where no last message is known the other chats are read, that one is named."""
    await away(inbound)
    (inbound.spool / "messages").unlink()
    inbound.write("missed", sender=inbound.other)
    inbound.centre.answer_newer("messages.getHistory", phone=PHONE, times=1)
    inbound.write("unread")
    inbound.centre.afflict(Kind.TOO_LONG, PHONE)

    await inbound.start_again()

    await inbound.until_texts("before", "missed")
    await inbound.until_settled()
    (receipt,) = inbound.recorder.receipts
    assert (receipt.found, receipt.missing) == (1, 1)
    assert str(inbound.contact.id) in receipt.detail


async def test_a_contact_who_can_not_be_decoded_still_writes(inbound: InboundNumber) -> None:
    """Who it is stays unknown, what is written arrives."""
    inbound.centre.update_push.prefers_short = True  # tells nothing about the sender
    inbound.centre.answer_newer("users.getUsers", phone=PHONE)

    inbound.write("hello")

    await inbound.until_texts("hello")
    assert inbound.recorder.state is SessionState.ONLINE


async def test_a_line_opens_though_our_own_user_can_not_be_decoded(inbound: InboundNumber) -> None:
    """A login that was found to be the number's own once stays it."""
    await away(inbound)
    inbound.centre.answer_newer("users.getUsers", phone=PHONE)
    inbound.write("away")

    await inbound.start_again()

    await inbound.until_texts("before", "away")
    assert inbound.recorder.state is SessionState.ONLINE
