"""Uploads that are cut, or that Telegram does not answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.telegram.faults import NO_ANSWER, Kind
from session_worker.outbound.attachments import Limits
from tests.acceptance.session_worker.conftest import PHONE
from tests.acceptance.session_worker.number import SELDOM
from tests.fakes.media import noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.session_worker.outbound.outbound_number import OutboundNumber


async def test_a_cut_upload_goes_on_where_it_was(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """Parts that Telegram has are not sent again after a cut."""
    outbound.outbound = outbound.make_outbound(Limits())
    telegram.afflict(Kind.SLOW, PHONE, 0.1)
    content = noise(4 << 20)
    order = outbound.begin(taras, "look", a_bin=content)
    begun = telegram.files._begun
    await eventually(lambda: begun, awaited="the first part")

    telegram.cut(PHONE)
    await outbound.until_done(order)

    assert outbound.box(taras.id)[-1].media.file.read(0, len(content) + 1) == content
    assert len(begun) == 1
    assert outbound.failures(order) == []


async def test_an_upload_nobody_answers_is_given_up(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, iryna: Account
) -> None:
    """A file whose parts stay unanswered is told as lost; text and other chats go their way."""
    account = outbound.number
    await account.stop()
    account.timing = replace(SELDOM, request_limit=0.5)
    await account.start_again()
    outbound.outbound = outbound.make_outbound()
    telegram.fail(NO_ANSWER, method="upload.saveFilePart")
    stuck = outbound.begin(taras, "with file", a_bin=noise(1000))

    await outbound.send(iryna, "without")
    await outbound.until_done(stuck)

    assert outbound.failures(stuck)[-1].code == "FILE_PART_UNANSWERED"
    assert [sent.text for sent in outbound.box(taras.id)][-1] == "with file"
    assert [sent.text for sent in outbound.box(iryna.id)][-1] == "without"
