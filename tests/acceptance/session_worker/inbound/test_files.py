"""Files of messages arrive in Planfix byte for byte."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram import phone_owner
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile
from tests.acceptance.sandbox.telegram.pictures import make_png
from tests.acceptance.session_worker.inbound.bench import PHONE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.planfix.traffic_log import Message
    from tests.acceptance.session_worker.inbound.bench import Bench


@dataclass(frozen=True)
class Huge:
    """A file of which nobody wants to keep the bytes."""

    size: int = 101 * 1024 * 1024

    def read(self, offset: int, limit: int) -> bytes:
        return bytes(min(limit, self.size - offset))


async def send(bench: Bench, *files: OwnFile, text: str = "", voice: bool = False) -> list[int]:
    people = bench.contact, bench.me
    return await phone_owner.send_files(bench.centre, people, files, text=text, voice=voice)


def digests(message: Message) -> list[str | None]:
    return [file.sha256 for file in message.attachments]


def sha256(*files: OwnFile) -> list[str]:
    return [hashlib.sha256(file.content).hexdigest() for file in files]


async def test_a_photo_arrives_whole(bench: Bench) -> None:
    """A photo with a caption is one message with one attachment."""
    photo = OwnFile("cat.png", "image/png", make_png(400, 300))

    await send(bench, photo, text="my cat")

    await bench.until_texts("my cat")
    assert digests(bench.told[0]) == sha256(photo)
    assert bench.told[0].attachments[0].name.endswith(".jpg")


async def test_files_without_caption_are_called_by_their_kind(bench: Bench) -> None:
    """What came without a word never arrives with an empty text."""
    video = OwnFile("clip.mp4", "video/mp4", os.urandom(5000))
    document = OwnFile("Договір №1.pdf", "application/pdf", os.urandom(700_000))
    for file in (video, document):
        await send(bench, file)
    await send(bench, OwnFile("v.ogg", "audio/ogg", os.urandom(900)), voice=True)

    await bench.until_texts("Video, 0:01", "File: Договір №1.pdf", "Voice message, 0:01")
    assert bench.told[1].attachments[0].name == "Договір №1.pdf"
    assert digests(bench.told[1]) == sha256(document)
    assert bench.told[2].attachments[0].name == "voice.ogg"


async def test_an_album_is_one_message(bench: Bench) -> None:
    """Several pictures sent together arrive together, in order, with their caption."""
    photos = [OwnFile(f"{n}.png", "image/png", make_png(100 + n, 90)) for n in range(4)]

    await send(bench, *photos, text="holiday")

    await bench.until_texts("holiday")
    assert digests(bench.told[0]) == sha256(*photos)
    await bench.until_settled()


async def test_an_album_ends_with_the_next_message(bench: Bench) -> None:
    """What is written after an album arrives after it."""
    photos = [OwnFile(f"{n}.png", "image/png", make_png(100 + n, 90)) for n in range(2)]

    await send(bench, *photos)
    bench.write("nice, no?")

    await bench.until_texts("Album (2)", "nice, no?")


async def test_a_file_over_the_limit_leaves_a_line(bench: Bench) -> None:
    """A file too large for Planfix is told, not lost without a word."""
    file = await bench.centre.files.keep(os.urandom(10))
    document = bench.centre.intake.document(file, "video/mp4")
    huge = replace(document, file=Huge())

    bench.centre.post_office.send(bench.contact, bench.me, Draft(media=huge))

    await eventually(lambda: bench.texts)
    (text,) = bench.texts
    assert "(101 MB) is larger than 100 MB; it is only in Telegram" in text
    assert bench.told[0].attachments == ()


async def test_a_file_that_vanished_leaves_a_line(bench: Bench) -> None:
    """A file of a message deleted meanwhile is told as gone."""
    bench.desk.hands_over = False
    ids = await send(bench, OwnFile("a.pdf", "application/pdf", b"content"), text="look")
    await eventually(lambda: bench.desk.rows)
    bench.centre.post_office.delete(bench.contact, ids, for_all=True)

    bench.desk.hand_over(1)

    await bench.until_texts("look\nFile a.pdf can not be fetched from Telegram any more")


@pytest.mark.parametrize("error", ["FILE_REFERENCE_EXPIRED", "FILEREF_UPGRADE_NEEDED"])
async def test_an_expired_reference_is_renewed(bench: Bench, error: str) -> None:
    """A file reference that expires during a download costs another question, not the file."""
    bench.centre.fail(error, phone=PHONE, method="upload.getFile", times=1)
    file = OwnFile("a.bin", "application/zip", os.urandom(600_000))

    await send(bench, file)

    await eventually(lambda: bench.told)
    assert digests(bench.told[0]) == sha256(file)


async def test_a_short_wait_between_pieces_is_kept(bench: Bench) -> None:
    """Who downloads much is asked for pauses; those are no tries in vain."""
    bench.centre.fail("FLOOD_PREMIUM_WAIT_1", phone=PHONE, method="upload.getFile", times=2)
    file = OwnFile("a.bin", "application/zip", os.urandom(600_000))

    await send(bench, file)

    await eventually(lambda: bench.told)
    assert digests(bench.told[0]) == sha256(file)
    assert bench.desk.failures == []


async def test_a_cut_during_a_download_costs_nothing(bench: Bench) -> None:
    """A download goes on where it was when the line is back."""
    bench.centre.afflict(Kind.SLOW, PHONE, 0.05)
    file = OwnFile("a.bin", "application/zip", os.urandom(3_000_000))
    await send(bench, file)
    part = bench.spool / "in" / "1" / "0.part"
    await eventually(part.exists)

    bench.centre.cut(PHONE)

    await eventually(lambda: bench.told)
    assert digests(bench.told[0]) == sha256(file)


async def test_trouble_of_the_disk_passes(bench: Bench) -> None:
    """A file that can not be written is tried again, as one that can not be read from Telegram."""
    part = bench.spool / "in" / "1" / "0.part"
    part.mkdir(parents=True)
    file = OwnFile("a.bin", "application/zip", os.urandom(1000))
    await send(bench, file)
    await eventually(lambda: "telegram_file_unreachable" in bench.desk.failures)

    part.rmdir()

    await eventually(lambda: bench.told)
    assert digests(bench.told[0]) == sha256(file)


async def test_the_avatar_is_sent_once(bench: Bench) -> None:
    """A contact's photo is linked with the first message, then only when it changes."""
    picture = await bench.centre.files.keep(make_png(300, 300))
    bench.contact.photos.append(bench.centre.intake.photo(picture, "me.png"))
    for text in ("one", "two"):
        await send(bench, OwnFile("a.txt", "text/plain", b"x"), text=text)

    await bench.until_texts("one", "two")
    first, second = bench.calls("newMessage")
    photo = bench.contact.photos[0].id
    assert first["contactIco"].endswith(f"/photos/{photo}")
    assert (bench.spool / "photos" / str(photo)).read_bytes() == picture.read(0, 1 << 20)
    assert "contactIco" not in second
    assert bench.calls("updateContact") == []


async def test_a_new_avatar_is_linked(bench: Bench) -> None:
    """A changed photo reaches the contact card."""
    await send(bench, OwnFile("a.txt", "text/plain", b"x"), text="one")
    await bench.until_texts("one")
    picture = await bench.centre.files.keep(make_png(300, 300))
    bench.contact.photos.append(bench.centre.intake.photo(picture, "me.png"))

    await send(bench, OwnFile("a.txt", "text/plain", b"x"), text="two")

    await bench.until_texts("one", "two")
    (card,) = bench.calls("updateContact")
    assert card["contactIco"].endswith(f"/photos/{bench.contact.photos[0].id}")


async def test_a_caption_edit_does_not_repeat_the_file(bench: Bench) -> None:
    """Only an edit that brings another file brings it to Planfix."""
    ids = await send(bench, OwnFile("a.txt", "text/plain", b"x"), text="old")
    await bench.until_texts("old")

    bench.centre.post_office.edit(bench.contact, ids[0], "new")

    await bench.until_texts("old", "Edited: new")
    assert bench.told[1].attachments == ()
