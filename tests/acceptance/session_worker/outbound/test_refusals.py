"""What becomes of a message that Telegram does not take at once."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions, types

from sandbox.telegram.faults import Kind, method_fault
from session_worker.protocol.contract import SessionChanged, SessionState, TroubleCode
from session_worker.protocol.outgoing import SENT_SEPARATELY
from supervisor.texts import employee_text
from tests.acceptance.session_worker.conftest import PHONE
from tests.fakes.media import make_jpeg, noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from session_worker.protocol.messages import PartSent
    from tests.acceptance.session_worker.outbound.outbound_number import OutboundNumber, Sent
    from tests.fakes.file_server import FileServer

FOR_GOOD = [
    *("USER_IS_BLOCKED", "YOU_BLOCKED_USER", "INPUT_USER_DEACTIVATED", "CHAT_WRITE_FORBIDDEN"),
    *("USER_PRIVACY_RESTRICTED", "PRIVACY_PREMIUM_REQUIRED", "ALLOW_PAYMENT_REQUIRED_10"),
    *("PEER_ID_INVALID", "MESSAGE_EMPTY", "MESSAGE_TOO_LONG", "PEER_FLOOD", "SOMETHING_NEW"),
]
OF_A_FILE = ["MEDIA_EMPTY", "MEDIA_INVALID", "MEDIA_FILE_INVALID", "MEDIA_SOMETHING_NEW"]


@pytest.mark.parametrize("error", FOR_GOOD)
async def test_refusal_for_good_is_the_last_word(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, error: str
) -> None:
    """The row is given up at the first try, with words for the employee; the chat goes on."""
    telegram.fail(error, method="messages.sendMessage", times=1)
    refused, fine = outbound.begin(taras, "refused"), outbound.begin(taras, "fine")

    await outbound.until_done(refused)
    await outbound.until_done(fine)

    (failure,) = outbound.failures(refused)
    assert failure.code == error
    assert failure.next_try is None
    assert employee_text(failure.code, "en")
    assert outbound.texts(taras) == ["fine"]


@pytest.mark.parametrize("error", OF_A_FILE)
async def test_refused_file_leaves_the_text(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, error: str
) -> None:
    """A file that Telegram refuses makes the row an error; the text, other files arrive once."""
    telegram.fail(error, method="messages.sendMedia", times=1)
    order = outbound.begin(taras, "text", a_pdf=noise(50), b_pdf=noise(60))

    await outbound.until_done(order)
    await eventually(lambda: len(outbound.box(taras.id)) == 2)

    assert [(s.text, bool(s.media)) for s in outbound.box(taras.id)] == [
        ("text", False),
        ("", True),
    ]
    await eventually(lambda: outbound.codes(order) == [error])
    text, file = _ids(outbound.box(taras.id))
    told = [(event.part, event.message_ids) for event in outbound.parts_sent(order)]
    assert told == [(0, (None, SENT_SEPARATELY)), (0, (None, text)), (1, (file,))]


async def test_replay_sends_what_is_missing(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """Of a dead letter only the file is sent again, though Telegram has forgotten the text's id."""
    telegram.fail("MEDIA_EMPTY", method="messages.sendMedia", times=1)
    order = outbound.begin(taras, "text", a_pdf=noise(50), b_pdf=noise(60))
    await outbound.until_done(order)
    await eventually(lambda: outbound.codes(order) == ["MEDIA_EMPTY"])
    again, next_one = outbound.replayed(order), outbound.compose(taras, "", c_pdf=noise(70))
    telegram.fail("MESSAGE_EMPTY", method="messages.sendMessage")
    outbound.number.memory.events.clear()

    outbound.outbound.send(again)
    outbound.outbound.send(next_one)
    await outbound.until_done(next_one)

    box = outbound.box(taras.id)
    assert [(s.text, s.media and s.media.file.size) for s in box] == [
        ("text", None),
        *[("", size) for size in (60, 50, 70)],
    ]
    assert outbound.codes(again) == []
    assert [event.message_ids for event in outbound.parts_sent(again)] == [
        (box[2].message.id, box[0].message.id)
    ]


async def test_replay_completes_an_album(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, files: FileServer
) -> None:
    """The picture that was missing follows; text, other pictures are not sent again."""
    pictures: dict[str, bytes | str] = {
        "a_jpg": make_jpeg(),
        "b_jpg": f"{files.url}/b.jpg",
        "c_jpg": make_jpeg(),
    }
    order = outbound.begin(taras, "trip", **pictures)
    await outbound.until_done(order)
    before = _ids(outbound.box(taras.id))
    assert [(s.text, bool(s.media)) for s in outbound.box(taras.id)] == [
        ("trip", False),
        *[("", True)] * 2,
    ]
    again = outbound.replayed(order)
    files.offer("b.jpg", make_jpeg())
    telegram.fail("MESSAGE_EMPTY", method="messages.sendMessage")
    telegram.fail("MESSAGE_EMPTY", method="messages.sendMultiMedia")
    outbound.number.memory.events.clear()

    outbound.outbound.send(again)
    await outbound.until_done(again)

    assert outbound.codes(again) == []
    *known, new = outbound.box(taras.id)
    assert _ids(known) == before
    assert (new.text, bool(new.media)) == ("", True)


async def test_caption_that_is_refused_goes_apart(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """A text that can't be a caption is sent before the file, which is sent once."""
    telegram.fail("MEDIA_CAPTION_TOO_LONG", method="messages.sendMedia", times=1)

    sent = await outbound.send(taras, "text", a_pdf=noise(50))

    assert [(each.text, bool(each.media)) for each in sent] == [("text", False), ("", True)]


@pytest.mark.parametrize("name", ["none", "a_pdf"])
async def test_refused_marks_are_left_out(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, name: str
) -> None:
    """A text whose marks Telegram refuses is sent without them."""
    method = "messages.sendMessage" if name == "none" else "messages.sendMedia"
    telegram.fail("ENTITY_BOUNDS_INVALID", times=1, method=method)
    files = {} if name == "none" else {name: noise(50)}

    (sent,) = await outbound.send(taras, "<b>text</b>", **files)

    assert (sent.text, sent.entities) == ("text", [])


@pytest.mark.parametrize("error", ["INTERNAL", "TIMEOUT", "RPC_CALL_FAIL", "SOMETHING_FAILED"])
async def test_trouble_of_telegram_passes(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, error: str
) -> None:
    """What fails on Telegram's side is tried again, with pauses."""
    telegram.faults.fail(method_fault(error, method="messages.sendMessage", code=500), 2)
    order = outbound.begin(taras, "text")

    await outbound.until_done(order)

    assert len(outbound.codes(order)) == 2
    assert all(failure.next_try for failure in outbound.failures(order))
    assert outbound.texts(taras) == ["text"]


async def test_trouble_without_end_is_given_up(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """A message that Telegram fails on again and again does not block the chat for ever."""
    telegram.fail("INTERNAL", method="messages.sendMessage", times=12)
    order, next_one = outbound.begin(taras, "text"), outbound.begin(taras, "next")

    await outbound.until_done(next_one)

    assert len(outbound.codes(order)) == 12
    assert outbound.texts(taras) == ["next"]


@pytest.mark.parametrize("error", ["SLOWMODE_WAIT_1", "FLOOD_WAIT_1", "FLOOD_PREMIUM_WAIT_1"])
async def test_wait_is_as_long_as_asked(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, error: str
) -> None:
    """The next try comes when Telegram has said it may."""
    telegram.fail(error, method="messages.sendMessage", times=1)
    began = time.time()
    order = outbound.begin(taras, "text")

    await outbound.until_done(order)

    (failure,) = outbound.failures(order)
    assert failure.code == error.removesuffix("_1")
    assert failure.next_try is not None
    assert began + 1 <= failure.next_try <= time.time()
    assert outbound.texts(taras) == ["text"]


async def test_long_wait_shows_as_limited(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """A wait that people will notice is told as the number's state, with its length."""
    telegram.fail("FLOOD_WAIT_600", method="messages.sendMessage", times=1)
    outbound.begin(taras, "text")

    await outbound.number.until(SessionState.LIMITED)

    said = [e for e in outbound.number.memory.events if isinstance(e, SessionChanged)][-1]
    assert said.trouble is not None
    assert said.trouble.code is TroubleCode.LIMITED
    assert said.trouble.retry_after == pytest.approx(600, abs=5)


async def test_limit_outlasts_a_cut(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """A number that is connected again is still limited."""
    telegram.fail("PEER_FLOOD", method="messages.sendMessage", times=1)
    outbound.begin(taras, "text")
    await outbound.number.until(SessionState.LIMITED)

    telegram.cut()

    await outbound.number.until(SessionState.RECONNECTING)
    await outbound.number.until(SessionState.LIMITED)


async def test_answers_pass_while_strangers_are_off_limits(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, iryna: Account
) -> None:
    """PEER_FLOOD ends one message; answers to others are still sent."""
    telegram.fail("PEER_FLOOD", method="messages.sendMessage", times=1)
    await outbound.send(taras, "refused")

    (sent,) = await outbound.send(iryna, "answer")

    assert sent.text == "answer"
    assert outbound.throttle.blocks_first_contacts


async def test_strangers_handed_over_before_are_not_tried(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, iryna: Account
) -> None:
    """After PEER_FLOOD a first message that the worker has already waits for its end, untried."""
    telegram.fail("PEER_FLOOD", method="messages.sendMessage", times=1)
    await outbound.send(taras, "refused")
    first = outbound.compose(iryna, "hello").changed(is_first=True)

    outbound.outbound.send(first)

    await eventually(lambda: bool(outbound.failures(first)))
    [failure] = outbound.failures(first)
    assert failure.code == "answers_only"
    assert failure.next_try == pytest.approx(time.time() + 3600, abs=300)
    assert outbound.tries(first) == 0
    assert outbound.texts(iryna) == []


async def test_cut_line_delays_no_more_than_itself(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """What is handed over while the line is cut goes out when it is back, without a failure."""
    telegram.cut()
    await outbound.number.until(SessionState.RECONNECTING)

    order = outbound.begin(taras, "text")
    await outbound.until_done(order)

    assert outbound.texts(taras) == ["text"]
    assert outbound.failures(order) == []


@pytest.mark.parametrize("strict", [False, True])
async def test_crash_sends_nothing_twice(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, strict: bool
) -> None:
    """The same row again, as after a crash, changes nothing in Telegram; the ids are told again."""
    order = outbound.compose(taras, "text", a_jpg=make_jpeg(), b_jpg=make_jpeg(), c_pdf=noise(50))
    outbound.outbound.send(order)
    await outbound.until_done(order)
    before, told = outbound.box(taras.id), outbound.parts_sent(order)
    if strict:
        telegram.afflict(Kind.STRICT_RANDOM_ID)

    await outbound.crash()
    outbound.number.memory.events.clear()
    outbound.outbound.send(order)
    await outbound.until_done(order)

    assert _ids(outbound.box(taras.id)) == _ids(before)
    assert _known_ids(outbound.parts_sent(order)) == _known_ids(told) == set(_ids(before))


async def test_crash_between_parts_goes_on(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """A row of which a part was sent, but not reported, is completed without a double."""
    order = outbound.compose(taras, "word " * 1500)
    first = order.outgoing.parts[0]
    await _send_directly(outbound, taras, first.text.strip(), first.random_ids[0])

    outbound.outbound.send(order)
    await outbound.until_done(order)

    texts = outbound.texts(taras)
    assert len(texts) == 2
    assert texts[0] == first.text.strip()


async def test_message_that_was_sent_but_not_found_counts_as_sent(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """When Telegram knows the random id, yet the message is gone, nothing is sent again."""
    telegram.fail("RANDOM_ID_DUPLICATE", method="messages.sendMessage", times=1)
    order = outbound.begin(taras, "text")

    await outbound.until_done(order)

    assert outbound.box(taras.id) == []
    assert outbound.parts_sent(order)[0].message_ids == (0,)


def _known_ids(events: list[PartSent]) -> set[int | None]:
    """Tell what the last words on all parts name."""
    return set(chain(*{event.part: event.message_ids for event in events}.values()))


def _ids(sent: list[Sent]) -> list[int]:
    return [each.message.id for each in sent]


async def _send_directly(outbound: OutboundNumber, to: Account, text: str, random_id: int) -> None:
    access_hash = outbound.number.account.access_hash(to.id)
    peer = types.InputPeerUser(to.id, access_hash)
    request = functions.messages.SendMessageRequest(peer, text, random_id=random_id)
    await outbound.number.account.ask(request)


@pytest.mark.parametrize("finds", [True, False], ids=["found again", "not found again"])
async def test_an_answer_that_can_not_be_decoded_is_no_refusal(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, finds: bool
) -> None:
    """The message is out, so it is looked for, not sent again; the chat goes on."""
    telegram.answer_newer("messages.sendMessage", phone=PHONE, times=1)
    if not finds:
        telegram.answer_newer("messages.getHistory", phone=PHONE)
    order = outbound.begin(taras, "one")
    await outbound.until_done(order)
    following = outbound.begin(taras, "two")
    await outbound.until_done(following)

    assert outbound.texts(taras) == ["one", "two"]
    (told,) = outbound.parts_sent(order)
    assert told.message_ids == ((outbound.box(taras.id)[0].message.id,) if finds else (0,))
    assert outbound.failures(order) == []
