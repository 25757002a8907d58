"""Each kind of message as the exact text that Planfix gets."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from session_worker.inbound.albums import Albums
from session_worker.protocol.messages import IncomingKind, Received
from session_worker.protocol.pipe import MAX_EVENT, encode
from session_worker.protocol.pipe_fields import LONGEST_TEXT
from session_worker.telegram.reading.message_parser import (
    edited,
    is_rewritten,
    is_silent,
    short_message,
    written,
)
from session_worker.texts import texts_of
from tests.unit.session_worker.telegram.messages import (
    DATE,
    TARAS,
    document,
    event,
    message,
    named,
    photo,
)

EN = texts_of("en")
POINT = types.GeoPoint(long=30.52, lat=50.45, access_hash=0)
MAP = "50.450000, 30.520000 [ https://maps.google.com/?q=50.450000,30.520000 ]"


def rich(text: str) -> Any:
    return types.TextWithEntities(text, [])


def poll(*, quiz: bool = False) -> Any:
    answers = [types.PollAnswer(rich(text), b"0") for text in ("yes", "no")]
    made = types.Poll(1, rich("Tea?"), answers, hash=0, quiz=quiz)
    return types.MessageMediaPoll(made, types.PollResults())


def call(**fields: Any) -> Any:
    return types.MessageActionPhoneCall(1, **fields)


def told(made: Any, language: str = "en", names: dict[int, str] | None = None) -> str:
    """Read what Planfix would get."""
    words = texts_of(language)
    heard = written(made, TARAS, names or {}, words)
    (gathered,) = Albums(words).add((), heard, 0.0)
    return gathered.incoming.text


VOICE = types.DocumentAttributeAudio(65, voice=True)
ROUND = types.DocumentAttributeVideo(7, 1, 1, round_message=True)
SONG = types.DocumentAttributeAudio(200, title="Song", performer="Band")
STICKER = types.DocumentAttributeSticker("😀", types.InputStickerSetEmpty())
GIF = types.DocumentAttributeAnimated()
VIDEO = types.DocumentAttributeVideo(3700, 1, 1)
MISSED = types.PhoneCallDiscardReasonMissed()


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (message("hi"), "hi"),
        (message("a\x00b\u202ec"), "ab\u202ec"),
        (message("see", media=types.MessageMediaWebPage(types.WebPageEmpty(1))), "see"),
        (message(media=photo()), "Photo"),
        (message("cat", media=photo()), "cat"),
        (message(media=types.MessageMediaPhoto(ttl_seconds=5)), "Media that has erased itself"),
        (message(media=document("video/mp4", VIDEO)), "Video, 1:01:40"),
        (message("c", media=document("video/mp4", VIDEO)), "c"),
        (message(media=document("video/mp4", ROUND)), "Video message, 0:07"),
        (message(media=document("audio/ogg", VOICE)), "Voice message, 1:05"),
        (message("c", media=document("audio/ogg", VOICE)), "Voice message, 1:05\nc"),
        (message(media=document("audio/mpeg", SONG)), "Audio: Band - Song"),
        (message(media=document("text/plain", named("a.txt"))), "File: a.txt"),
        (message("c", media=document("text/plain", named("a.txt"))), "c"),
        (message(media=document("image/webp", STICKER)), "Sticker 😀"),
        (message(media=document("application/x-tgsticker", STICKER)), "Sticker 😀"),
        (message(media=document("video/mp4", GIF)), "GIF"),
        (message(media=types.MessageMediaGeo(POINT)), f"Location: {MAP}"),
        (message(media=types.MessageMediaGeoLive(POINT, 60)), f"Live location: {MAP}"),
        (message(media=types.MessageMediaGeo(types.GeoPointEmpty())), "Location"),
        (
            message(media=types.MessageMediaVenue(POINT, "Cafe", "Main 1", "", "", "")),
            f"Location: Cafe\nMain 1\n{MAP}",
        ),
        (
            message(media=types.MessageMediaContact("38044", "Anna", "B", "", 0)),
            "Contact: Anna B, +38044",
        ),
        (message(media=poll()), "Poll: Tea?\n- yes\n- no"),
        (message(media=poll(quiz=True)), "Quiz: Tea?\n- yes\n- no"),
        (
            message(
                media=types.MessageMediaToDo(
                    types.TodoList(rich("Buy"), [types.TodoItem(1, rich("milk"))])
                )
            ),
            "Checklist: Buy\n- milk",
        ),
        (message(media=types.MessageMediaDice(6, "🎯")), "Dice: 🎯 6"),
        (message(media=types.MessageMediaStory(types.PeerUser(7), 1)), "Story"),
        (message(media=types.MessageMediaUnsupported()), EN.unsupported),
        (
            message(media=types.MessageMediaVideoStream(types.InputGroupCallSlug("x"))),
            "Attachment of an unknown kind (VideoStream); open Telegram to see it",
        ),
        (message(""), "Empty message"),
        (event(call(reason=MISSED)), "Missed call"),
        (event(call(reason=MISSED, video=True)), "Missed video call"),
        (event(call(reason=MISSED), out=True), "Call, not answered"),
        (event(call(reason=types.PhoneCallDiscardReasonBusy())), "Declined call"),
        (event(call(duration=75)), "Call, 1:15"),
        (event(types.MessageActionScreenshotTaken()), "Took a screenshot of the chat"),
        (
            event(types.MessageActionSetMessagesTTL(86400 * 7)),
            "Messages in this chat now erase themselves after 7 d",
        ),
        (event(types.MessageActionTopicCreate("t", 1)), "Event in Telegram: TopicCreate"),
    ],
)
def test_every_kind_has_its_words(made: Any, text: str) -> None:
    """No kind of message arrives empty, each says what it is."""
    assert told(made) == text


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "en",
            [
                "Photo",
                "Voice message, 1:05",
                "Missed call",
                "Forwarded from somebody:\nx",
                "Messages in this chat now erase themselves after 7 d",
            ],
        ),
        (
            "ru",
            [
                "Фото",
                "Голосовое сообщение, 1:05",
                "Пропущенный звонок",
                "Переслано от неизвестно кого:\nx",
                "Сообщения в этом чате теперь удаляются сами через 7 дн.",
            ],
        ),
        (
            "uk",
            [
                "Фото",
                "Голосове повідомлення, 1:05",
                "Пропущений дзвінок",
                "Переслано від невідомо кого:\nx",
                "Повідомлення в цьому чаті тепер видаляються самі через 7 дн.",
            ],
        ),
    ],
)
def test_the_gateway_speaks_the_language_of_its_operator(language: str, texts: list[str]) -> None:
    """What the gateway writes itself is in the language that was set."""
    kinds = [
        message(media=photo()),
        message(media=document("audio/ogg", VOICE)),
        event(call(reason=MISSED)),
        message("x", fwd_from=types.MessageFwdHeader(DATE)),
        event(types.MessageActionSetMessagesTTL(86400 * 7)),
    ]

    assert [told(kind, language) for kind in kinds] == texts


@pytest.mark.parametrize("language", ["en", "ru", "uk"])
def test_every_text_with_a_gap_can_be_filled(language: str) -> None:
    """The books agree on what is filled into their texts."""
    filling = dict.fromkeys(
        ("count", "kind", "duration", "name", "text", "size", "limit", "emoji", "date"),
        "<something>",
    )
    words, english = texts_of(language), texts_of("en")

    for name in type(words).__slots__:
        text, original = getattr(words, name), getattr(english, name)
        assert text
        filled, expected = text.format(**filling), original.format(**filling)
        assert filled.count("<something>") == expected.count("<something>")


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (types.MessageFwdHeader(DATE, from_id=types.PeerUser(9)), "Forwarded from Ivan:"),
        (types.MessageFwdHeader(DATE, from_name="Masked"), "Forwarded from Masked:"),
        (types.MessageFwdHeader(DATE, from_id=types.PeerUser(10)), "Forwarded from somebody:"),
        (
            types.MessageFwdHeader(DATE, from_id=types.PeerChannel(5), post_author="Ed"),
            "Forwarded from News (Ed):",
        ),
    ],
)
def test_a_forward_says_from_whom(header: Any, line: str) -> None:
    """People, hidden people, channels: whoever wrote it first is named."""
    names = {9: "Ivan", -1_000_000_000_005: "News"}

    assert told(message("x", fwd_from=header), names=names) == f"{line}\nx"


def test_an_echo_of_a_bot_names_it() -> None:
    """What a business bot wrote for the owner says so; of the owner's own echoes nothing is said."""
    by_bot = message("x", out=True, via_business_bot_id=9)

    assert told(by_bot, names={9: "Helper"}) == "Sent by the bot Helper:\nx"
    assert told(message("x", out=True)) == "x"


def test_a_reply_names_the_message_replied_to() -> None:
    """The line is looked up later, unless the writer chose the words to quote."""
    whole = types.MessageReplyHeader(reply_to_msg_id=4)
    part = types.MessageReplyHeader(reply_to_msg_id=4, quote=True, quote_text="a\nb")
    story = types.MessageReplyStoryHeader(types.PeerUser(7), 3)

    made = [written(message("x", reply_to=each), TARAS, {}, EN).incoming for each in (whole, part)]

    assert [(each.reply_to, each.text) for each in made] == [(4, "x"), (None, ">> a\n>> b\nx")]
    assert told(message("x", reply_to=story)) == "Reply to a story\nx"


@pytest.mark.parametrize(
    ("media", "name", "size"),
    [
        (photo(), "photo_2026-05-04_12-30-00.jpg", 8),
        (document("audio/ogg", VOICE), "voice.ogg", 10),
        (document("video/mp4", ROUND), "video_note.mp4", 10),
        (document("image/webp", STICKER), "sticker.webp", 10),
        (document("application/pdf", named("../../etc/a.pdf")), "_.._etc_a.pdf", 10),
        (document("application/pdf", named("a" * 300 + ".pdf")), "a" * 116 + ".pdf", 10),
        (document("", named("")), "file", 10),
    ],
)
def test_every_file_has_a_usable_name(media: Any, name: str, size: int) -> None:
    """A file is named even if Telegram does not, by nothing that leads elsewhere."""
    (file,) = written(message(media=media), TARAS, {}, EN).incoming.files

    assert (file.name, file.size, file.message_id) == (name, size, 1)


def test_an_edit_says_how_it_reads_now() -> None:
    """An edit is a line of its own, with a file only if that is another one."""
    made = message("new", media=photo(), edit_date=DATE)
    heard = written(made, TARAS, {}, EN)

    lines = [edited(made, heard, EN, has_new_file=new).incoming for new in (False, True)]

    assert {(line.what, line.text) for line in lines} == {(IncomingKind.EDIT, "Edited: new")}
    assert [len(line.files) for line in lines] == [0, 1]
    assert lines[0].edit_date == int(DATE.timestamp())


def test_reactions_are_no_edits() -> None:
    """Only what the writer changed is an edit."""
    assert is_rewritten(message("x", edit_date=DATE))
    assert not is_rewritten(message("x"))
    assert not is_rewritten(message("x", edit_date=DATE, edit_hide=True))
    moving = types.MessageMediaGeoLive(POINT, 60)
    assert not is_rewritten(message(media=moving, edit_date=DATE))


def test_some_events_say_nothing() -> None:
    """How a chat looks, that it was cleared, that somebody joined Telegram is no message."""
    assert is_silent(event(types.MessageActionHistoryClear()), EN)
    assert is_silent(event(types.MessageActionContactSignUp()), EN)
    assert not is_silent(event(call(reason=MISSED)), EN)
    assert not is_silent(message(""), EN)


def test_the_short_form_is_a_message_like_others() -> None:
    """A text that comes without its author reads the same."""
    update = types.UpdateShortMessage(3, 7, "hi", 1, 1, DATE, out=True)

    made = written(short_message(update), TARAS, {}, EN).incoming

    assert (made.message_ids, made.peer_id, made.text, made.is_echo) == ((3,), 7, "hi", True)


def test_endless_links_are_cut() -> None:
    """An album whose captions hide more links than any comment of Planfix holds still arrives."""
    url = "https://example.com/" + "x" * 2000
    links = [types.MessageEntityTextUrl(i, 1, url) for i in range(100)]
    albums = Albums(EN)
    for number in range(10):
        made = message(str(number) * 100, id=number, entities=links, media=photo(), grouped_id=1)
        albums.add((), written(made, TARAS, {}, EN), 0.0)

    (gathered,) = albums.close_all()

    assert len(gathered.incoming.text) == LONGEST_TEXT
    assert len(gathered.incoming.files) == 10
    assert len(encode(Received(positions=(), incoming=gathered.incoming))) < MAX_EVENT


def test_nul_in_what_a_client_says_of_a_file_is_left_out() -> None:
    """Clients name the types of files as they like; the message arrives with its file."""
    made = message("a\0b", media=document("image/\0png\r\n", named("a\0.png")))

    incoming = written(made, TARAS, {}, EN).incoming

    assert incoming.text == "ab"
    assert [(file.name, file.mime) for file in incoming.files] == [("a_.png", "image/png")]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("a\u2066b\u2069.pdf", "a_b_.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\\b\x00\x9b\u2028.txt", "a_b___.txt"),
        (
            "\u0444\u043e\u0442\u043e \U0001f468\u200d\U0001f469.jpg",
            "\u0444\u043e\u0442\u043e \U0001f468\u200d\U0001f469.jpg",
        ),
    ],
)
def test_file_is_shown_under_the_name_that_it_has(name: str, safe: str) -> None:
    """A program that a contact sends does not look like a document to the employee who opens it."""
    heard = written(message(media=document("text/plain", named(name))), TARAS, {}, EN)

    assert [file.name for file in heard.incoming.files] == [safe]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, 1e300])
def test_film_of_no_length_is_a_film(seconds: float) -> None:
    """The sender's program states the length; whatever it is, the message is read."""
    media = document("video/mp4", types.DocumentAttributeVideo(seconds, 1, 1, round_message=True))

    assert told(message("c", media=media)) == "Video message\nc"


def test_message_without_a_date_is_read() -> None:
    """Telegram may leave out a date, as it does with photos that are not its own."""
    undated = message(media=photo())
    undated.date = undated.media.photo.date = None

    heard = written(undated, TARAS, {}, EN)

    assert (heard.incoming.date, heard.incoming.files[0].name) == (0, "photo.jpg")
