"""Files of employees in Telegram: each in the form in which Telegram shows it best."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from telethon.tl import types

from sandbox.telegram.files.media import Document, Photo
from session_worker.failures import MOST_FILE_TRIES
from session_worker.outbound.attachments import Limits
from session_worker.protocol.outgoing import UPLOADED
from tests.fakes.file_server import Answer
from tests.fakes.media import make_jpeg, make_mp4, make_png, make_voice, noise
from tests.support.disks import no_room, small_disk
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.session_worker.outbound.outbound_number import OutboundNumber, Sent
    from tests.fakes.file_server import FileServer


@pytest.mark.parametrize(("name", "content"), [("a_jpg", make_jpeg()), ("a_png", make_png())])
async def test_picture_goes_as_photo(
    outbound: OutboundNumber, taras: Account, name: str, content: bytes
) -> None:
    """JPEG, PNG are sent as photos, unchanged, with the text as caption."""
    (sent,) = await outbound.send(taras, "look", **{name: content})

    assert isinstance(sent.media, Photo)
    assert sent.text == "look"
    assert sent.media.file.read(0, len(content) + 1) == content


async def test_video_goes_as_video(outbound: OutboundNumber, taras: Account) -> None:
    """An MP4 is a video with its length, its size; it can be watched while it loads."""
    (sent,) = await outbound.send(taras, clip_mp4=make_mp4(3.5, 640, 360))

    about = sent.attribute(types.DocumentAttributeVideo)
    assert (about.duration, about.w, about.h, about.supports_streaming) == (3.5, 640, 360, True)
    assert sent.attribute(types.DocumentAttributeFilename).file_name == "clip.mp4"


async def test_recording_goes_as_voice(outbound: OutboundNumber, taras: Account) -> None:
    """Opus in Ogg is a voice message with its length."""
    (sent,) = await outbound.send(taras, note_ogg=make_voice(2.0))

    about = sent.attribute(types.DocumentAttributeAudio)
    assert (about.voice, about.duration, sent.media.mime_type) == (True, 2, "audio/ogg")


@pytest.mark.parametrize(("name", "mime"), [("song_mp3", "audio/mpeg"), ("song_ogg", "audio/ogg")])
async def test_music_goes_as_audio(
    outbound: OutboundNumber, taras: Account, name: str, mime: str
) -> None:
    """Music is played, but is no voice message; nor is an Ogg with anything but Opus."""
    (sent,) = await outbound.send(taras, **{name: noise(2000)})

    about = sent.attribute(types.DocumentAttributeAudio)
    assert (about.voice, sent.media.mime_type) == (False, mime)


@pytest.mark.parametrize(
    ("name", "content", "mime"),
    [
        ("price_pdf", noise(100), "application/pdf"),
        ("noname", noise(100), "application/octet-stream"),
        ("a_jpg", b"no picture at all", "image/jpeg"),
        ("b_mp4", b"no film at all", "video/mp4"),
        ("long_png", make_png(600, 10), "image/png"),
    ],
)
async def test_rest_goes_as_document(
    outbound: OutboundNumber, taras: Account, name: str, content: bytes, mime: str
) -> None:
    """Everything else is a file with its name, what is not what its name promises, too."""
    (sent,) = await outbound.send(taras, **{name: content})

    assert isinstance(sent.media, Document)
    assert not sent.media.is_video
    assert sent.media.mime_type == mime
    named = sent.attribute(types.DocumentAttributeFilename)
    assert named.file_name == name.replace("_", ".")
    assert sent.media.file.read(0, len(content) + 1) == content


async def test_pictures_become_an_album(outbound: OutboundNumber, taras: Account) -> None:
    """Several pictures, videos come as one album, the text below it; the rest follows."""
    sent = await outbound.send(
        taras, "trip", a_jpg=make_jpeg(), b_pdf=noise(50), c_mp4=make_mp4(), d_png=make_png()
    )

    group = sent[0].message.content.grouped_id
    assert [each.message.content.grouped_id for each in sent] == [group, group, group, None]
    assert [each.text for each in sent] == ["trip", "", "", ""]
    assert group


async def test_more_than_ten_pictures_make_two_albums(
    outbound: OutboundNumber, taras: Account
) -> None:
    """An album holds ten at most."""
    pictures = {f"{n}_jpg": make_jpeg() for n in range(12)}

    sent = await outbound.send(taras, **pictures)

    groups = [each.message.content.grouped_id for each in sent]
    assert len(set(groups)) == 2
    assert groups == [groups[0]] * 10 + [groups[-1]] * 2


async def test_picture_that_is_no_photo_leaves_the_album(
    outbound: OutboundNumber, taras: Account
) -> None:
    """What must go as a file is sent beside the album of the others."""
    sent = await outbound.send(
        taras, "x", a_jpg=make_jpeg(), b_png=make_png(600, 10), c_jpg=make_jpeg()
    )

    kinds = [(type(each.media), bool(each.message.content.grouped_id)) for each in sent]
    assert kinds == [(Photo, True), (Photo, True), (Document, False)]
    assert [each.text for each in sent] == ["x", "", ""]


async def test_long_text_goes_before_the_file(outbound: OutboundNumber, taras: Account) -> None:
    """A text too long for a caption is a message of its own."""
    sent = await outbound.send(taras, "word " * 300, a_pdf=noise(50))

    assert [bool(each.media) for each in sent] == [False, True]
    assert sent[1].text == ""


async def test_big_file_arrives_unchanged(
    outbound: OutboundNumber, files: FileServer, taras: Account
) -> None:
    """A file over ten megabytes, which takes other requests, is the same at the other end."""
    piece = noise(1 << 20)
    outbound.outbound = outbound.make_outbound(Limits(size=20 << 20))
    link = files.offer("big.bin", Answer(piece, repeat=11))

    (sent,) = await outbound.send(taras, big_bin=link)

    assert sent.media.file.size == 11 << 20
    assert _digest(sent) == sha256(piece * 11).hexdigest()


async def test_nothing_is_left_in_the_spool(outbound: OutboundNumber, taras: Account) -> None:
    """A file is deleted here as soon as it is sent."""
    await outbound.send(taras, a_pdf=noise(50))
    await outbound.send(taras, "next")

    assert list((outbound.spool / "out").iterdir()) == []


async def test_photo_that_is_refused_goes_as_document(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """What Telegram refuses as a photo it gets as a file, with the same caption."""
    telegram.fail("PHOTO_INVALID_DIMENSIONS", method="messages.sendMedia", times=1)

    (sent,) = await outbound.send(taras, "look", a_jpg=make_jpeg())

    assert isinstance(sent.media, Document)
    assert sent.text == "look"


@pytest.mark.parametrize("error", ["IMAGE_PROCESS_FAILED", "PHOTO_SAVE_FILE_INVALID"])
async def test_photo_that_is_refused_leaves_its_album(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, error: str
) -> None:
    """A picture of an album that Telegram refuses goes as a file, the others as they are."""
    telegram.fail(error, method="messages.uploadMedia", times=1)

    sent = await outbound.send(taras, "x", a_jpg=make_jpeg(), b_jpg=make_jpeg())

    assert [type(each.media) for each in sent] == [Document, Photo]
    assert [each.text for each in sent] == ["x", ""]


async def test_album_that_is_refused_goes_one_by_one(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """Files that Telegram does not take together are sent under the ids fixed for them."""
    telegram.fail("MEDIA_GROUPED_INVALID", method="messages.sendMultiMedia", times=1)
    order = outbound.begin(taras, "x", a_jpg=make_jpeg(), b_jpg=make_jpeg())

    await outbound.until_done(order)

    sent = outbound.box(taras.id)
    ids = order.outgoing.parts[0].random_ids[:2]
    assert [each.message.random_id for each in sent] == list(ids)
    assert [each.text for each in sent] == ["x", ""]
    first, second = (each.message.id for each in sent)
    told = [event.message_ids for event in outbound.parts_sent(order)]
    assert told == [(first, None, first), (first, second, first)]


async def test_voice_that_is_not_welcome_goes_as_document(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """Where voice messages are forbidden, the recording is sent as a file."""
    telegram.fail("VOICE_MESSAGES_FORBIDDEN", method="messages.sendMedia", times=1)

    (sent,) = await outbound.send(taras, note_ogg=make_voice())

    assert sent.attribute(types.DocumentAttributeAudio) is None


@pytest.mark.parametrize("error", ["FILE_PARTS_INVALID", "FILE_REFERENCE_EXPIRED"])
@pytest.mark.parametrize("method", ["sendMedia", "sendMultiMedia", "uploadMedia"])
async def test_lost_upload_is_repeated(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account, error: str, method: str
) -> None:
    """What Telegram no longer finds is uploaded anew, then sent."""
    telegram.fail(error, method=f"messages.{method}", times=1)
    more = {} if method == "sendMedia" else {"b_jpg": make_jpeg()}
    order = outbound.begin(taras, "x", a_jpg=make_jpeg(), **more)

    await outbound.until_done(order)

    assert outbound.codes(order) == [error]
    assert [type(each.media) for each in outbound.box(taras.id)] == [Photo] * (1 + len(more))


async def test_pause_between_parts_is_kept(
    outbound: OutboundNumber, telegram: DataCentre, taras: Account
) -> None:
    """A short wait that Telegram asks for during an upload interrupts nothing."""
    telegram.fail("FLOOD_WAIT_1", method="upload.saveFilePart", times=1)
    order = outbound.begin(taras, a_pdf=noise(50))

    await outbound.until_done(order)

    assert outbound.is_sent(order)
    assert outbound.failures(order) == []


def _digest(sent: Sent) -> str:
    file, digest = sent.media.file, sha256()
    for offset in range(0, file.size, 1 << 20):
        digest.update(file.read(offset, 1 << 20))
    return digest.hexdigest()


@pytest.mark.parametrize("source", ["link", "upload"])
async def test_disk_without_room_loses_no_message(
    outbound: OutboundNumber, taras: Account, source: str
) -> None:
    """A message whose file finds no room waits until there is some, however often it is tried."""
    content = noise(100_000)
    order = outbound.compose(taras, "plan", a_pdf=content)
    if source == "upload":
        received = outbound.spool / "uploads"
        received.mkdir()
        (received / "a").write_bytes(content)
        files = (order.outgoing.attachments[0].model_copy(update={"url": f"{UPLOADED}a"}),)
        order = order.model_copy(update={"outgoing": order.outgoing.changed(attachments=files)})

    with small_disk(outbound.spool / "out", "256k") as disk:
        with no_room(disk):
            outbound.outbound.send(order)
            await eventually(lambda: len(outbound.failures(order)) > 2 * MOST_FILE_TRIES)
        await outbound.until_done(order)

    assert set(outbound.codes(order)) == {"STORAGE_FAILING"}
    [sent] = outbound.box(taras.id)
    assert (sent.text, sent.media.file.read(0, len(content))) == ("plan", content)
