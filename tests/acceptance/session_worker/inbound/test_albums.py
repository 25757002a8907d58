"""An album stays one message, however its items come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.telegram.faults import Kind
from session_worker.inbound.albums import AlbumTiming
from tests.acceptance.session_worker.inbound.inbound_number import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber

ALBUM = 77


def write_item(inbound: InboundNumber, text: str) -> None:
    inbound.write(text, grouped_id=ALBUM)


def wait_for_albums(inbound: InboundNumber, quiet: float) -> None:
    inbound.albums = AlbumTiming(quiet=quiet)


async def heard(inbound: InboundNumber) -> None:
    number = inbound.recorder.number
    assert number is not None
    await eventually(lambda: number.last_heard)


async def test_an_item_that_was_not_announced_joins_its_album(idle: InboundNumber) -> None:
    """While something is known to be missing the album waits for it, however long that takes."""
    wait_for_albums(idle, 0.2)
    await idle.start()

    write_item(idle, "one")
    idle.centre.afflict(Kind.DEAF, PHONE)
    write_item(idle, "two")
    idle.centre.clear_faults()
    write_item(idle, "three")

    await idle.until_texts("one\ntwo\nthree")
    await idle.until_settled()


async def test_an_album_cut_in_two_by_the_line_is_one_message(idle: InboundNumber) -> None:
    """What comes with the difference after a cut joins what was heard before it."""
    wait_for_albums(idle, 1)
    await idle.start()

    write_item(idle, "one")
    await heard(idle)
    idle.centre.afflict(Kind.CUT, PHONE, seconds=2)
    write_item(idle, "two")
    write_item(idle, "three")
    idle.write("comment")

    await idle.until_texts("one\ntwo\nthree", "comment")
    await idle.until_settled()
    (receipt,) = idle.recorder.receipts
    assert (receipt.found, receipt.missing) == (3, 0)


async def test_an_album_goes_on_behind_an_item_that_can_not_be_decoded(
    inbound: InboundNumber,
) -> None:
    """The others are one message still; the receipt says what is missing."""
    await inbound.until_settled()
    write_item(inbound, "one")
    inbound.centre.afflict(Kind.NEWER_LAYER, PHONE)
    write_item(inbound, "newer")
    inbound.centre.clear_faults()
    write_item(inbound, "two")

    await inbound.until_texts("one\ntwo")
    await inbound.until_settled()
    assert [receipt.missing for receipt in inbound.recorder.receipts] == [1]
