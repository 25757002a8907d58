"""Files, places, cards that accounts send each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, events, functions, utils
from telethon.errors.rpcerrorlist import rpc_errors_dict
from telethon.tl import types

from tests.acceptance.sandbox.telegram.client_events import address, hear
from tests.acceptance.sandbox.telegram.pictures import make_png, named, noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

VOICE = types.DocumentAttributeAudio(2, voice=True)
VIDEO = types.DocumentAttributeVideo(3.0, 640, 360)
ROUND = types.DocumentAttributeVideo(3.0, 240, 240, round_message=True)
STICKER = types.DocumentAttributeSticker("🙂", types.InputStickerSetEmpty())
PLACE = types.InputGeoPoint(50.45, 30.52)
FILES: list[tuple[str, str, list[Any]]] = [
    ("document", "price.pdf", []),
    ("video", "clip.mp4", [VIDEO]),
    ("video_note", "round.mp4", [ROUND]),
    ("voice", "note.ogg", [VOICE]),
    ("audio", "song.mp3", [types.DocumentAttributeAudio(2, title="T", performer="P")]),
    ("gif", "funny.mp4", [VIDEO, types.DocumentAttributeAnimated()]),
    ("sticker", "smile.webp", [STICKER]),
]
OTHERS: list[tuple[str, Any]] = [
    ("geo", types.InputMediaGeoPoint(PLACE)),
    ("geo", types.InputMediaGeoLive(PLACE, period=900)),
    ("venue", types.InputMediaVenue(PLACE, "Office", "Main st. 1", "foursquare", "1", "")),
    ("contact", types.InputMediaContact("+380501110002", "Bob", "", "")),
    ("dice", types.InputMediaDice("🎯")),
]


def make_poll(*answers: str) -> Any:
    told = [
        types.PollAnswer(types.TextWithEntities(answer, []), b"%d" % number)
        for number, answer in enumerate(answers)
    ]
    return types.InputMediaPoll(types.Poll(0, types.TextWithEntities("Tea?", []), told, 0))


async def test_photo_arrives_with_its_size(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A photo comes with caption, entities, true dimensions, the same bytes, a smaller thumb."""
    hers, his = await client_of(alice), await client_of(bob)
    heard, content = await hear(his), make_png(640, 480)

    await hers.send_file(
        address(alice, bob), named("a.png", content), caption="look **here**", parse_mode="md"
    )

    await eventually(lambda: heard, awaited="the photo")
    message = heard[0].message
    assert (message.file.width, message.file.height) == (640, 480)
    assert (message.raw_text, message.entities) == ("look here", [types.MessageEntityBold(5, 4)])
    assert await message.download_media(bytes) == content
    assert (await message.download_media(bytes, thumb=1)).startswith(b"\xff\xd8")
    assert (await message.download_media(bytes, thumb=0)).startswith(b"\xff\xd8")


@pytest.mark.parametrize(("kind", "name", "attributes"), FILES)
async def test_document_arrives_as_its_kind(
    client_of: ClientOf, alice: Account, bob: Account, kind: str, name: str, attributes: list[Any]
) -> None:
    """What the sender says a file is, the recipient sees, with name, type, bytes."""
    hers, his = await client_of(alice), await client_of(bob)
    heard, content = await hear(his), noise(150_000)

    sent = await hers.send_file(
        address(alice, bob), named(name, content), attributes=attributes, caption="for you"
    )

    await eventually(lambda: heard, awaited=kind)
    message = heard[0].message
    assert (getattr(sent, kind), getattr(message, kind)) != (None, None)
    assert (message.file.name, message.raw_text) == (name, "for you")
    assert message.file.mime_type == sent.file.mime_type
    assert await message.download_media(bytes) == content


async def test_thumbnail_of_a_document(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """The sender's thumbnail is kept; a video without one gets one."""
    hers, thumb = await client_of(alice), make_png(90, 60)
    to, video = address(alice, bob), named("clip.mp4", noise(5000))

    with_thumb = await hers.send_file(to, video, attributes=[VIDEO], thumb=thumb)
    without = await hers.send_file(to, named("b.mp4", noise(5000)), attributes=[VIDEO])

    assert await with_thumb.download_media(bytes, thumb=-1) == thumb
    assert (await without.download_media(bytes, thumb=-1)).startswith(b"\xff\xd8")


async def test_forced_document_is_only_a_file(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A picture sent as a document stays a file that still tells its size in pixels."""
    hers = await client_of(alice)

    picture = named("scan.png", make_png(300, 200))
    sent = await hers.send_file(address(alice, bob), picture, force_document=True)

    assert (sent.photo, sent.file.name) == (None, "scan.png")
    assert (sent.file.width, sent.file.height) == (300, 200)


async def test_files_are_found_by_their_kind(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A search for photos, or for files, finds these and nothing else."""
    hers, to = await client_of(alice), address(alice, bob)
    photo = await hers.send_file(to, named("a.png", make_png(640, 480)))
    file = await hers.send_file(to, named("price.pdf", noise(500)))
    await hers.send_file(to, named("note.ogg", noise(500)), attributes=[VOICE])
    await hers.send_message(to, "hello")

    photos = await hers.get_messages(to, None, filter=types.InputMessagesFilterPhotos())
    files = await hers.get_messages(to, None, filter=types.InputMessagesFilterDocument())

    assert [each.id for each in photos] == [photo.id]
    assert [each.id for each in files] == [file.id]


@pytest.mark.parametrize(("kind", "media"), OTHERS)
async def test_other_media_arrive(
    client_of: ClientOf, alice: Account, bob: Account, kind: str, media: Any
) -> None:
    """Places, cards, dice come through without any file."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)

    await hers.send_file(address(alice, bob), media)

    await eventually(lambda: heard, awaited=kind)
    assert getattr(heard[0].message, kind) is not None
    assert heard[0].message.file is None or kind == "dice"


async def test_contact_card_names_the_account(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A card of somebody at Telegram carries the user id, that of a stranger zero."""
    hers, to = await client_of(alice), address(alice, bob)

    known = await hers.send_file(to, types.InputMediaContact("+380501110002", "B", "", ""))
    unknown = await hers.send_file(to, types.InputMediaContact("+99", "N", "", ""))

    assert (known.contact.user_id, unknown.contact.user_id) == (bob.id, 0)


async def test_poll_arrives(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A poll comes with question, answers in order; one answer makes no poll."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)

    await hers.send_file(address(alice, bob), make_poll("yes", "no"))

    await eventually(lambda: heard, awaited="the poll")
    poll = heard[0].message.poll.poll
    assert (poll.question.text, [a.text.text for a in poll.answers]) == ("Tea?", ["yes", "no"])
    with pytest.raises(errors.PollAnswersInvalidError):
        await hers.send_file(address(alice, bob), make_poll("yes"))


async def test_media_may_reply(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A file can answer a message."""
    hers, to = await client_of(alice), address(alice, bob)
    asked = await hers.send_message(to, "the price?")

    sent = await hers.send_file(to, named("p.pdf", noise(99)), reply_to=asked.id)

    assert (await hers.get_messages(to, ids=sent.id)).reply_to.reply_to_msg_id == asked.id


async def test_caption_can_be_edited(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """An edit changes the caption, the file stays."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his, events.MessageEdited())
    sent = await hers.send_file(address(alice, bob), named("p.pdf", noise(99)), caption="old")

    await hers.edit_message(address(alice, bob), sent.id, "new")

    await eventually(lambda: heard, awaited="the edit")
    assert (heard[0].raw_text, heard[0].file.name) == ("new", "p.pdf")


async def test_caption_can_be_emptied(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A file needs no caption, a long one it can't have."""
    hers, to = await client_of(alice), address(alice, bob)
    sent = await hers.send_file(to, named("p.pdf", noise(99)), caption="old")

    with pytest.raises(errors.MediaCaptionTooLongError):
        await hers.edit_message(to, sent.id, "x" * 1025)
    edited = await hers.edit_message(to, sent.id, "")

    assert (edited.raw_text, edited.file.name) == ("", "p.pdf")


async def test_media_can_be_replaced(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """An edit may bring another file in place of the first."""
    hers, his = await client_of(alice), await client_of(bob)
    heard, to = await hear(his, events.MessageEdited()), address(alice, bob)
    sent = await hers.send_file(to, named("p.pdf", noise(99)), caption="same")

    await hers.edit_message(to, sent.id, "same", file=named("q.pdf", noise(50)))

    await eventually(lambda: heard, awaited="the edit")
    assert (heard[0].raw_text, heard[0].file.name) == ("same", "q.pdf")
    assert await heard[0].download_media(bytes) == noise(50)


async def test_known_media_can_be_sent_again(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Who received a file may send it on by its id, without an upload."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)
    await hers.send_file(address(alice, bob), named("p.pdf", noise(999)))
    await hers.send_file(address(alice, bob), named("p.png", make_png()))
    await eventually(lambda: len(heard) == 2, awaited="both files")

    again = [await his.send_file(address(bob, alice), event.message.media) for event in heard]

    assert await again[0].download_media(bytes) == noise(999)
    assert await again[1].download_media(bytes) == make_png()


async def test_repeated_random_id_sends_once(
    client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A media request that is repeated answers with the message it made the first time."""
    hers, his = await client_of(alice), await client_of(bob)
    heard = await hear(his)
    file = await hers.upload_file(named("p.pdf", noise(999)))
    media = utils.get_input_media(file, force_document=True)
    request = functions.messages.SendMediaRequest(address(alice, bob), media, "once", random_id=77)

    first, second = await hers(request), await hers(request)

    assert [first.updates[0].id] == [second.updates[0].id]
    assert second.updates[1].message.media.document.id == first.updates[1].message.media.document.id
    await hers.send_message(address(alice, bob), "end")
    await eventually(lambda: len(heard) > 1, awaited="the end")
    assert [event.raw_text for event in heard] == ["once", "end"]


@pytest.mark.parametrize(
    ("media", "error"),
    [
        (lambda f: types.InputMediaEmpty(), "MEDIA_EMPTY"),
        (types.InputMediaUploadedPhoto, "PHOTO_EXT_INVALID"),
        (
            lambda f: types.InputMediaUploadedPhoto(types.InputFile(f.id, 1, "a.exe", "")),
            "PHOTO_EXT_INVALID",
        ),
        (lambda f: types.InputMediaPhoto(types.InputPhoto(1, 2, b"x")), "MEDIA_EMPTY"),
        (lambda f: types.InputMediaDocument(types.InputDocument(1, 2, b"x")), "MEDIA_EMPTY"),
        (lambda f: types.InputMediaGame(types.InputGameID(1, 2)), "MEDIA_INVALID"),
        (lambda f: types.InputMediaPhotoExternal("http://127.0.0.1/"), "WEBPAGE_CURL_FAILED"),
        (lambda f: types.InputMediaGeoPoint(types.InputGeoPoint(91, 0)), "GEO_POINT_INVALID"),
        (lambda f: types.InputMediaGeoPoint(types.InputGeoPointEmpty()), "MEDIA_EMPTY"),
        (lambda f: types.InputMediaGeoLive(PLACE), "MEDIA_INVALID"),
        (lambda f: types.InputMediaDice("x"), "EMOTICON_INVALID"),
    ],
)
async def test_wrong_media_are_refused(
    client_of: ClientOf, alice: Account, bob: Account, media: Callable[[Any], Any], error: str
) -> None:
    """What can't be sent is refused by name, nothing is sent."""
    hers = await client_of(alice)
    file = await hers.upload_file(named("fake.png", b"no picture at all"))

    with pytest.raises(rpc_errors_dict[error]):
        await hers(functions.messages.SendMediaRequest(address(alice, bob), media(file), ""))

    assert len(alice.box) == 0


async def test_listening_is_noticed(client_of: ClientOf, alice: Account, bob: Account) -> None:
    """A voice note is unread media until its recipient listens, which the sender learns."""
    hers, his = await client_of(alice), await client_of(bob)
    she_heard = await hear(hers, events.Raw(types.UpdateReadMessagesContents))
    sent = await hers.send_file(address(alice, bob), named("n.ogg", noise(99)), voice_note=True)
    (received,) = await his.get_messages(address(bob, alice))

    await his(functions.messages.ReadMessageContentsRequest([received.id]))

    await eventually(lambda: she_heard, awaited="the listening")
    (after,) = await his.get_messages(address(bob, alice))
    assert (received.media_unread, after.media_unread) == (True, False)
    assert she_heard[0].messages == [sent.id]
