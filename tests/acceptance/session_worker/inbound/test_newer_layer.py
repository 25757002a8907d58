"""An object that our layer does not have stops nothing but the message it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.telegram.faults import Kind
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode
from tests.acceptance.session_worker.inbound.bench import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from session_worker.protocol.messages import GapFilled
    from tests.acceptance.session_worker.inbound.bench import Bench


def write_newer(bench: Bench, text: str = "newer") -> int:
    """Let the contact write something that the number's layer does not have."""
    bench.centre.afflict(Kind.NEWER_LAYER, PHONE)
    content = bench.write(text).message.content
    bench.centre.clear_faults()
    return content.copies[bench.me.id]


async def away(bench: Bench) -> None:
    """Be there once, then not any more."""
    bench.write("before")
    await bench.until_texts("before")
    await bench.until_settled()
    await bench.stop()


def missing(bench: Bench) -> list[GapFilled]:
    return [receipt for receipt in bench.desk.receipts if receipt.missing]


def troubles(bench: Bench) -> list[TroubleCode]:
    changes = [event for event in bench.desk.events if isinstance(event, SessionChanged)]
    return [change.trouble.code for change in changes if change.trouble]


async def test_what_can_not_be_decoded_is_stepped_over(bench: Bench) -> None:
    """After an absence all else arrives in order; the receipt says what is missing and why."""
    await away(bench)
    for count in range(150):
        bench.write(f"{count}")
    newer = write_newer(bench)
    bench.write("after", sender=bench.other)
    bench.write("after")

    await bench.start_again()

    await eventually(lambda: len(bench.told) == 153)
    mine = [m.text for m in bench.told if m.chat_id.endswith(str(bench.contact.id))]
    assert mine == ["before", *(f"{count}" for count in range(150)), "after"]
    await bench.until_settled()
    (receipt,) = missing(bench)
    assert (receipt.found, receipt.missing) == (0, 1)
    assert f"message {newer}" in receipt.detail
    assert "layer" in receipt.detail
    assert bench.desk.state is SessionState.ONLINE
    assert troubles(bench)[-1] is TroubleCode.LAYER
    assert bench.centre.count_connections(PHONE).logins == 0


@pytest.mark.parametrize("length", [5, 3000], ids=["plain", "gzip"])
async def test_a_live_update_that_can_not_be_decoded_costs_only_itself(
    bench: Bench, length: int
) -> None:
    """The line is kept, what comes with it in one packet is heard, nothing waits for a poll."""
    await bench.until_settled()
    bench.write("one")
    write_newer(bench, "n" * length)
    bench.write("two")

    await bench.until_texts("one", "two")
    await eventually(lambda: missing(bench))
    await bench.until_settled()

    assert [receipt.missing for receipt in missing(bench)] == [1]
    assert SessionState.RECONNECTING not in bench.desk.states
    assert bench.desk.state is SessionState.ONLINE
    assert troubles(bench)[-1] is TroubleCode.LAYER


async def test_nothing_but_undecodable_updates_is_no_deafness(bench: Bench) -> None:
    """They were announced, so Telegram is heard, poll after poll."""
    for count in range(4):
        write_newer(bench)
        await eventually(lambda wanted=count + 1: len(missing(bench)) == wanted)  # type: ignore[misc]  # mypy knows no defaults of a lambda
        await bench.until_settled()

    assert set(bench.desk.states) <= {SessionState.CONNECTING, SessionState.ONLINE}


async def test_undecodable_ones_at_both_ends_are_counted_each(bench: Bench) -> None:
    """First, last, several in a row: each is missing once, the rest arrives."""
    await away(bench)
    newer = [write_newer(bench), write_newer(bench)]
    bench.write("one")
    newer.append(write_newer(bench))
    bench.write("two")
    newer.append(write_newer(bench))

    await bench.start_again()

    await bench.until_texts("before", "one", "two")
    await bench.until_settled()
    assert sum(receipt.missing for receipt in missing(bench)) == 4
    said = " ".join(receipt.detail for receipt in missing(bench))
    assert all(f"message {message_id}" in said for message_id in newer)


async def test_edits_and_deletions_beside_it_arrive(bench: Bench) -> None:
    """The difference goes on behind what was left out, as the history could not."""
    posted = bench.write("typo")
    await bench.until_texts("typo")
    await bench.until_settled()
    await bench.stop()
    write_newer(bench)
    bench.centre.post_office.edit(bench.contact, posted.message.id, "correct")

    await bench.start_again()

    await eventually(lambda: len(bench.told) == 2)
    assert "correct" in bench.texts[1]
    await bench.until_settled()


async def test_without_any_difference_the_history_is_read(bench: Bench) -> None:
    """Where no slice can be decoded every message still arrives once, in order."""
    await away(bench)
    for count in range(130):
        bench.write(f"{count}")
    bench.centre.answer_newer("updates.getDifference", phone=PHONE)

    await bench.start_again()

    await bench.until_texts("before", *(f"{count}" for count in range(130)))
    await bench.until_settled()
    assert sum(receipt.found for receipt in bench.desk.receipts) == 130
    assert not missing(bench)


@pytest.mark.parametrize("is_last", [True, False], ids=["newest", "among others"])
async def test_a_history_is_read_around_it(bench: Bench, is_last: bool) -> None:
    """In a gap too long for a difference, too, only what can't be decoded is missing."""
    await away(bench)
    bench.write("one")
    bench.write("from Ivan", sender=bench.other)
    newer = write_newer(bench)
    if not is_last:
        bench.write("two")
    bench.centre.afflict(Kind.TOO_LONG, PHONE)

    await bench.start_again()

    expected = ["before", "one", *([] if is_last else ["two"])]
    await eventually(lambda: len(bench.told) == len(expected) + 1)
    assert [text for text in bench.texts if text != "from Ivan"] == expected
    await eventually(lambda: bench.desk.receipts)
    (receipt,) = bench.desk.receipts
    assert (receipt.found, receipt.missing) == (len(expected), 1)
    assert f"message {newer}" in receipt.detail
    await bench.until_settled()


async def test_without_a_memory_a_chat_that_can_not_be_decoded_is_missing(bench: Bench) -> None:
    """Where no last message is known the other chats are read, that one is named."""
    await away(bench)
    (bench.spool / "messages").unlink()
    bench.write("missed", sender=bench.other)
    bench.centre.answer_newer("messages.getHistory", phone=PHONE, times=1)
    bench.write("unread")
    bench.centre.afflict(Kind.TOO_LONG, PHONE)

    await bench.start_again()

    await bench.until_texts("before", "missed")
    await bench.until_settled()
    (receipt,) = bench.desk.receipts
    assert (receipt.found, receipt.missing) == (1, 1)
    assert str(bench.contact.id) in receipt.detail


async def test_a_contact_who_can_not_be_decoded_still_writes(bench: Bench) -> None:
    """Who it is stays unknown, what is written arrives."""
    bench.centre.courier.prefers_short = True  # tells nothing about the sender
    bench.centre.answer_newer("users.getUsers", phone=PHONE)

    bench.write("hello")

    await bench.until_texts("hello")
    assert bench.desk.state is SessionState.ONLINE


async def test_a_line_opens_though_our_own_user_can_not_be_decoded(bench: Bench) -> None:
    """A login that was found to be the number's own once stays it."""
    await away(bench)
    bench.centre.answer_newer("users.getUsers", phone=PHONE)
    bench.write("away")

    await bench.start_again()

    await bench.until_texts("before", "away")
    assert bench.desk.state is SessionState.ONLINE
