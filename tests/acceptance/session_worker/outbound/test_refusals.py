"""What becomes of a message that Telegram does not take at once."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions, types

from sandbox.telegram.faults import Kind, method_fault
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode
from session_worker.protocol.messages import SENT_SEPARATELY
from supervisor.texts import employee_text
from tests.acceptance.session_worker.conftest import PHONE
from tests.fakes.media import make_jpeg, noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from session_worker.protocol.messages import PartSent
    from tests.acceptance.session_worker.outbound.mail import Mail, Sent
    from tests.fakes.file_server import FileServer

FOR_GOOD = [
    *("USER_IS_BLOCKED", "YOU_BLOCKED_USER", "INPUT_USER_DEACTIVATED", "CHAT_WRITE_FORBIDDEN"),
    *("USER_PRIVACY_RESTRICTED", "PRIVACY_PREMIUM_REQUIRED", "ALLOW_PAYMENT_REQUIRED_10"),
    *("PEER_ID_INVALID", "MESSAGE_EMPTY", "MESSAGE_TOO_LONG", "PEER_FLOOD", "SOMETHING_NEW"),
]
OF_A_FILE = ["MEDIA_EMPTY", "MEDIA_INVALID", "MEDIA_FILE_INVALID", "MEDIA_SOMETHING_NEW"]


@pytest.mark.parametrize("error", FOR_GOOD)
async def test_refusal_for_good_is_the_last_word(
    mail: Mail, telegram: DataCentre, taras: Account, error: str
) -> None:
    """The row is given up at the first try, with words for the employee; the chat goes on."""
    telegram.fail(error, method="messages.sendMessage", times=1)
    refused, fine = mail.begin(taras, "refused"), mail.begin(taras, "fine")

    await mail.until_done(refused)
    await mail.until_done(fine)

    (failure,) = mail.failures(refused)
    assert failure.code == error
    assert failure.next_try is None
    assert employee_text(failure.code, "en")
    assert mail.texts(taras) == ["fine"]


@pytest.mark.parametrize("error", OF_A_FILE)
async def test_refused_file_leaves_the_text(
    mail: Mail, telegram: DataCentre, taras: Account, error: str
) -> None:
    """A file that Telegram refuses makes the row an error; the text, other files arrive once."""
    telegram.fail(error, method="messages.sendMedia", times=1)
    order = mail.begin(taras, "text", a_pdf=noise(50), b_pdf=noise(60))

    await mail.until_done(order)
    await eventually(lambda: len(mail.box(taras.id)) == 2)

    assert [(s.text, bool(s.media)) for s in mail.box(taras.id)] == [("text", False), ("", True)]
    await eventually(lambda: mail.codes(order) == [error])
    text, file = _ids(mail.box(taras.id))
    told = [(event.part, event.message_ids) for event in mail.parts_sent(order)]
    assert told == [(0, (None, SENT_SEPARATELY)), (0, (None, text)), (1, (file,))]


async def test_replay_sends_what_is_missing(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """Of a dead letter only the file is sent again, though Telegram has forgotten the text's id."""
    telegram.fail("MEDIA_EMPTY", method="messages.sendMedia", times=1)
    order = mail.begin(taras, "text", a_pdf=noise(50), b_pdf=noise(60))
    await mail.until_done(order)
    await eventually(lambda: mail.codes(order) == ["MEDIA_EMPTY"])
    again, next_one = mail.replayed(order), mail.compose(taras, "", c_pdf=noise(70))
    telegram.fail("MESSAGE_EMPTY", method="messages.sendMessage")
    mail.number.memory.events.clear()

    mail.outbound.send(again)
    mail.outbound.send(next_one)
    await mail.until_done(next_one)

    box = mail.box(taras.id)
    assert [(s.text, s.media and s.media.file.size) for s in box] == [
        ("text", None),
        *[("", size) for size in (60, 50, 70)],
    ]
    assert mail.codes(again) == []
    assert [event.message_ids for event in mail.parts_sent(again)] == [
        (box[2].message.id, box[0].message.id)
    ]


async def test_replay_completes_an_album(
    mail: Mail, telegram: DataCentre, taras: Account, files: FileServer
) -> None:
    """The picture that was missing follows; text, other pictures are not sent again."""
    pictures: dict[str, bytes | str] = {
        "a_jpg": make_jpeg(),
        "b_jpg": f"{files.url}/b.jpg",
        "c_jpg": make_jpeg(),
    }
    order = mail.begin(taras, "trip", **pictures)
    await mail.until_done(order)
    before = _ids(mail.box(taras.id))
    assert [(s.text, bool(s.media)) for s in mail.box(taras.id)] == [
        ("trip", False),
        *[("", True)] * 2,
    ]
    again = mail.replayed(order)
    files.offer("b.jpg", make_jpeg())
    telegram.fail("MESSAGE_EMPTY", method="messages.sendMessage")
    telegram.fail("MESSAGE_EMPTY", method="messages.sendMultiMedia")
    mail.number.memory.events.clear()

    mail.outbound.send(again)
    await mail.until_done(again)

    assert mail.codes(again) == []
    *known, new = mail.box(taras.id)
    assert _ids(known) == before
    assert (new.text, bool(new.media)) == ("", True)


async def test_caption_that_is_refused_goes_apart(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """A text that can't be a caption is sent before the file, which is sent once."""
    telegram.fail("MEDIA_CAPTION_TOO_LONG", method="messages.sendMedia", times=1)

    sent = await mail.send(taras, "text", a_pdf=noise(50))

    assert [(each.text, bool(each.media)) for each in sent] == [("text", False), ("", True)]


@pytest.mark.parametrize("name", ["none", "a_pdf"])
async def test_refused_marks_are_left_out(
    mail: Mail, telegram: DataCentre, taras: Account, name: str
) -> None:
    """A text whose marks Telegram refuses is sent without them."""
    method = "messages.sendMessage" if name == "none" else "messages.sendMedia"
    telegram.fail("ENTITY_BOUNDS_INVALID", times=1, method=method)
    files = {} if name == "none" else {name: noise(50)}

    (sent,) = await mail.send(taras, "<b>text</b>", **files)

    assert (sent.text, sent.entities) == ("text", [])


@pytest.mark.parametrize("error", ["INTERNAL", "TIMEOUT", "RPC_CALL_FAIL", "SOMETHING_FAILED"])
async def test_trouble_of_telegram_passes(
    mail: Mail, telegram: DataCentre, taras: Account, error: str
) -> None:
    """What fails on Telegram's side is tried again, with pauses."""
    telegram.faults.fail(method_fault(error, method="messages.sendMessage", code=500), 2)
    order = mail.begin(taras, "text")

    await mail.until_done(order)

    assert len(mail.codes(order)) == 2
    assert all(failure.next_try for failure in mail.failures(order))
    assert mail.texts(taras) == ["text"]


async def test_trouble_without_end_is_given_up(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """A message that Telegram fails on again and again does not block the chat for ever."""
    telegram.fail("INTERNAL", method="messages.sendMessage", times=12)
    order, next_one = mail.begin(taras, "text"), mail.begin(taras, "next")

    await mail.until_done(next_one)

    assert len(mail.codes(order)) == 12
    assert mail.texts(taras) == ["next"]


@pytest.mark.parametrize("error", ["SLOWMODE_WAIT_1", "FLOOD_WAIT_1", "FLOOD_PREMIUM_WAIT_1"])
async def test_wait_is_as_long_as_asked(
    mail: Mail, telegram: DataCentre, taras: Account, error: str
) -> None:
    """The next try comes when Telegram has said it may."""
    telegram.fail(error, method="messages.sendMessage", times=1)
    began = time.time()
    order = mail.begin(taras, "text")

    await mail.until_done(order)

    (failure,) = mail.failures(order)
    assert failure.code == error.removesuffix("_1")
    assert failure.next_try is not None
    assert 1 <= failure.next_try - began < 5
    assert mail.texts(taras) == ["text"]


async def test_long_wait_shows_as_limited(mail: Mail, telegram: DataCentre, taras: Account) -> None:
    """A wait that people will notice is told as the number's state, with its length."""
    telegram.fail("FLOOD_WAIT_600", method="messages.sendMessage", times=1)
    mail.begin(taras, "text")

    await mail.number.until(SessionState.LIMITED)

    said = [e for e in mail.number.memory.events if isinstance(e, SessionChanged)][-1]
    assert said.trouble is not None
    assert said.trouble.code is TroubleCode.LIMITED
    assert said.trouble.retry_after == pytest.approx(600, abs=5)


async def test_limit_outlasts_a_cut(mail: Mail, telegram: DataCentre, taras: Account) -> None:
    """A number that is connected again is still limited."""
    telegram.fail("PEER_FLOOD", method="messages.sendMessage", times=1)
    mail.begin(taras, "text")
    await mail.number.until(SessionState.LIMITED)

    telegram.cut()

    await mail.number.until(SessionState.RECONNECTING)
    await mail.number.until(SessionState.LIMITED)


async def test_answers_pass_while_strangers_are_off_limits(
    mail: Mail, telegram: DataCentre, taras: Account, iryna: Account
) -> None:
    """PEER_FLOOD ends one message; answers to others are still sent."""
    telegram.fail("PEER_FLOOD", method="messages.sendMessage", times=1)
    await mail.send(taras, "refused")

    (sent,) = await mail.send(iryna, "answer")

    assert sent.text == "answer"
    assert mail.throttle.blocks_first_contacts


async def test_cut_line_delays_no_more_than_itself(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """What is handed over while the line is cut goes out when it is back, without a failure."""
    telegram.cut()
    await mail.number.until(SessionState.RECONNECTING)

    order = mail.begin(taras, "text")
    await mail.until_done(order)

    assert mail.texts(taras) == ["text"]
    assert mail.failures(order) == []


@pytest.mark.parametrize("strict", [False, True])
async def test_crash_sends_nothing_twice(
    mail: Mail, telegram: DataCentre, taras: Account, strict: bool
) -> None:
    """The same row again, as after a crash, changes nothing in Telegram; the ids are told again."""
    order = mail.compose(taras, "text", a_jpg=make_jpeg(), b_jpg=make_jpeg(), c_pdf=noise(50))
    mail.outbound.send(order)
    await mail.until_done(order)
    before, told = mail.box(taras.id), mail.parts_sent(order)
    if strict:
        telegram.afflict(Kind.STRICT_RANDOM_ID)

    await mail.crash()
    mail.number.memory.events.clear()
    mail.outbound.send(order)
    await mail.until_done(order)

    assert _ids(mail.box(taras.id)) == _ids(before)
    assert _known_ids(mail.parts_sent(order)) == _known_ids(told) == set(_ids(before))


async def test_crash_between_parts_goes_on(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """A row of which a part was sent, but not reported, is completed without a double."""
    order = mail.compose(taras, "word " * 1500)
    first = order.outgoing.parts[0]
    await _send_directly(mail, taras, first.text.strip(), first.random_ids[0])

    mail.outbound.send(order)
    await mail.until_done(order)

    texts = mail.texts(taras)
    assert len(texts) == 2
    assert texts[0] == first.text.strip()


async def test_message_that_was_sent_but_not_found_counts_as_sent(
    mail: Mail, telegram: DataCentre, taras: Account
) -> None:
    """When Telegram knows the random id, yet the message is gone, nothing is sent again."""
    telegram.fail("RANDOM_ID_DUPLICATE", method="messages.sendMessage", times=1)
    order = mail.begin(taras, "text")

    await mail.until_done(order)

    assert mail.box(taras.id) == []
    assert mail.parts_sent(order)[0].message_ids == (0,)


def _known_ids(events: list[PartSent]) -> set[int | None]:
    """Tell what the last words on all parts name."""
    return set(chain(*{event.part: event.message_ids for event in events}.values()))


def _ids(sent: list[Sent]) -> list[int]:
    return [each.message.id for each in sent]


async def _send_directly(mail: Mail, to: Account, text: str, random_id: int) -> None:
    access_hash = mail.number.account.access_hash(to.id)
    peer = types.InputPeerUser(to.id, access_hash)
    request = functions.messages.SendMessageRequest(peer, text, random_id=random_id)
    await mail.number.account.ask(request)


@pytest.mark.parametrize("finds", [True, False], ids=["found again", "not found again"])
async def test_an_answer_that_can_not_be_decoded_is_no_refusal(
    mail: Mail, telegram: DataCentre, taras: Account, finds: bool
) -> None:
    """The message is out, so it is looked for, not sent again; the chat goes on."""
    telegram.answer_newer("messages.sendMessage", phone=PHONE, times=1)
    if not finds:
        telegram.answer_newer("messages.getHistory", phone=PHONE)
    order = mail.begin(taras, "one")
    await mail.until_done(order)
    following = mail.begin(taras, "two")
    await mail.until_done(following)

    assert mail.texts(taras) == ["one", "two"]
    (told,) = mail.parts_sent(order)
    assert told.message_ids == ((mail.box(taras.id)[0].message.id,) if finds else (0,))
    assert mail.failures(order) == []
