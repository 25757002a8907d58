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
    from tests.acceptance.session_worker.outbound.mail import Mail


async def test_a_cut_upload_goes_on_where_it_was(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """Parts that Telegram has are not sent again after a cut."""
    mail.outbound = mail.make_outbound(Limits())
    telegram.afflict(Kind.SLOW, PHONE, 0.1)
    content = noise(4 << 20)
    order = mail.begin(taras, "look", a_bin=content)
    begun = telegram.files._begun
    await eventually(lambda: begun, awaited="the first part")

    telegram.cut(PHONE)
    await mail.until_done(order, deadline=60)

    assert mail.box(taras.id)[-1].media.file.read(0, len(content) + 1) == content
    assert len(begun) == 1
    assert mail.failures(order) == []


async def test_an_upload_nobody_answers_is_given_up(
    mail: Mail, telegram: DataCentre, taras: Account, iryna: Account
) -> None:
    """A file whose parts stay unanswered is told as lost; text and other chats go their way."""
    account = mail.number
    await account.stop()
    account.timing = replace(SELDOM, request_limit=0.5)
    await account.start_again()
    mail.outbound = mail.make_outbound()
    telegram.fail(NO_ANSWER, method="upload.saveFilePart")
    stuck = mail.begin(taras, "with file", a_bin=noise(1000))

    await mail.send(iryna, "without")
    await mail.until_done(stuck, deadline=60)

    assert mail.failures(stuck)[-1].code == "FILE_PART_UNANSWERED"
    assert [sent.text for sent in mail.box(taras.id)][-1] == "with file"
    assert [sent.text for sent in mail.box(iryna.id)][-1] == "without"
