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
from tests.acceptance.session_worker.inbound.inbound_number import PHONE
from tests.support.disks import no_room, small_disk
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.planfix.traffic_log import Message
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


@dataclass(frozen=True)
class Huge:
    """A file of which nobody wants to keep the bytes."""

    size: int = 101 * 1024 * 1024

    def read(self, offset: int, limit: int) -> bytes:
        return bytes(min(limit, self.size - offset))


async def send(
    inbound: InboundNumber, *files: OwnFile, text: str = "", voice: bool = False
) -> list[int]:
    people = inbound.contact, inbound.me
    return await phone_owner.send_files(inbound.centre, people, files, Draft(text), voice=voice)


def digests(message: Message) -> list[str | None]:
    return [file.sha256 for file in message.attachments]


def sha256(*files: OwnFile) -> list[str]:
    return [hashlib.sha256(file.content).hexdigest() for file in files]


async def test_a_photo_arrives_whole(inbound: InboundNumber) -> None:
    """A photo with a caption is one message with one attachment."""
    photo = OwnFile("cat.png", "image/png", make_png(400, 300))

    await send(inbound, photo, text="my cat")

    await inbound.until_texts("my cat")
    assert digests(inbound.told[0]) == sha256(photo)
    assert inbound.told[0].attachments[0].name.endswith(".jpg")


async def test_files_without_caption_are_called_by_their_kind(inbound: InboundNumber) -> None:
    """What came without a word never arrives with an empty text."""
    video = OwnFile("clip.mp4", "video/mp4", os.urandom(5000))
    document = OwnFile("Договір №1.pdf", "application/pdf", os.urandom(700_000))
    for file in (video, document):
        await send(inbound, file)
    await send(inbound, OwnFile("v.ogg", "audio/ogg", os.urandom(900)), voice=True)

    await inbound.until_texts("Video, 0:01", "File: Договір №1.pdf", "Voice message, 0:01")
    assert inbound.told[1].attachments[0].name == "Договір №1.pdf"
    assert digests(inbound.told[1]) == sha256(document)
    assert inbound.told[2].attachments[0].name == "voice.ogg"


async def test_an_album_is_one_message(inbound: InboundNumber) -> None:
    """Several pictures sent together arrive together, in order, with their caption."""
    photos = [OwnFile(f"{n}.png", "image/png", make_png(100 + n, 90)) for n in range(4)]

    await send(inbound, *photos, text="holiday")

    await inbound.until_texts("holiday")
    assert digests(inbound.told[0]) == sha256(*photos)
    await inbound.until_settled()


async def test_an_album_ends_with_the_next_message(inbound: InboundNumber) -> None:
    """What is written after an album arrives after it."""
    photos = [OwnFile(f"{n}.png", "image/png", make_png(100 + n, 90)) for n in range(2)]

    await send(inbound, *photos)
    inbound.write("nice, no?")

    await inbound.until_texts("Album (2)", "nice, no?")


async def test_a_file_over_the_limit_leaves_a_line(inbound: InboundNumber) -> None:
    """A file too large for Planfix is told, not lost without a word."""
    file = await inbound.centre.files.keep(os.urandom(10))
    document = inbound.centre.intake.document(file, "video/mp4")
    huge = replace(document, file=Huge())

    inbound.centre.message_actions.send(inbound.contact, inbound.me, Draft(media=huge))

    await eventually(lambda: inbound.texts)
    (text,) = inbound.texts
    assert "(101 MB) is larger than 100 MB; it is only in Telegram" in text
    assert inbound.told[0].attachments == ()


async def test_a_file_that_vanished_leaves_a_line(inbound: InboundNumber) -> None:
    """A file of a message deleted meanwhile is told as gone."""
    inbound.recorder.hands_over = False
    ids = await send(inbound, OwnFile("a.pdf", "application/pdf", b"content"), text="look")
    await eventually(lambda: inbound.recorder.rows)
    inbound.centre.message_actions.delete(inbound.contact, ids, for_all=True)

    inbound.recorder.hand_over(1)

    await inbound.until_texts("look\nFile a.pdf cannot be fetched from Telegram any more")


@pytest.mark.parametrize("error", ["FILE_REFERENCE_EXPIRED", "FILEREF_UPGRADE_NEEDED"])
async def test_an_expired_reference_is_renewed(inbound: InboundNumber, error: str) -> None:
    """A file reference that expires during a download costs another question, not the file."""
    inbound.centre.fail(error, phone=PHONE, method="upload.getFile", times=1)
    file = OwnFile("a.bin", "application/zip", os.urandom(600_000))

    await send(inbound, file)

    await eventually(lambda: inbound.told)
    assert digests(inbound.told[0]) == sha256(file)


async def test_a_short_wait_between_pieces_is_kept(inbound: InboundNumber) -> None:
    """Who downloads much is asked for pauses; those are no tries in vain."""
    inbound.centre.fail("FLOOD_PREMIUM_WAIT_1", phone=PHONE, method="upload.getFile", times=2)
    file = OwnFile("a.bin", "application/zip", os.urandom(600_000))

    await send(inbound, file)

    await eventually(lambda: inbound.told)
    assert digests(inbound.told[0]) == sha256(file)
    assert inbound.recorder.failures == []


async def test_a_cut_during_a_download_costs_nothing(inbound: InboundNumber) -> None:
    """A download goes on where it was when the line is back."""
    inbound.centre.afflict(Kind.SLOW, PHONE, 0.05)
    file = OwnFile("a.bin", "application/zip", os.urandom(3_000_000))
    await send(inbound, file)
    await eventually(lambda: list(inbound.spool.glob("in/1/0-*.part")))

    inbound.centre.cut(PHONE)

    await eventually(lambda: inbound.told)
    assert digests(inbound.told[0]) == sha256(file)


async def test_trouble_of_the_disk_passes(inbound: InboundNumber) -> None:
    """A file that cannot be written is tried again, as one that cannot be read from Telegram."""
    folder = inbound.spool / "in"
    folder.touch()
    file = OwnFile("a.bin", "application/zip", os.urandom(1000))
    await send(inbound, file)
    await eventually(lambda: "telegram_file_unreachable" in inbound.recorder.failures)

    folder.unlink()

    await eventually(lambda: inbound.told)
    assert digests(inbound.told[0]) == sha256(file)


async def test_disk_without_room_holds_up_only_files(inbound: InboundNumber) -> None:
    """Without room a file waits, but a text comes at once, even if there is a new photo of its author."""
    picture = await inbound.centre.files.keep(make_png(300, 300))
    inbound.contact.photos.append(inbound.centre.intake.photo(picture, "me.png"))
    file = OwnFile("a.bin", "application/zip", os.urandom(100_000))

    with small_disk(inbound.spool / "photos", "64k") as photos, no_room(photos):
        inbound.write("text")
        await inbound.until_texts("text")
        with small_disk(inbound.spool / "in", "256k") as folder:
            with no_room(folder):
                await send(inbound, file, text="file")
                await eventually(lambda: "telegram_file_unreachable" in inbound.recorder.failures)
                assert inbound.texts == ["text"]
            await inbound.until_texts("text", "file")

    assert digests(inbound.told[1]) == sha256(file)
    assert "internal" not in inbound.recorder.failures


async def test_the_avatar_is_sent_once(inbound: InboundNumber) -> None:
    """A contact's photo is linked with the first message, then only when it changes."""
    picture = await inbound.centre.files.keep(make_png(300, 300))
    inbound.contact.photos.append(inbound.centre.intake.photo(picture, "me.png"))
    for text in ("one", "two"):
        await send(inbound, OwnFile("a.txt", "text/plain", b"x"), text=text)

    await inbound.until_texts("one", "two")
    first, second = inbound.calls("newMessage")
    photo = inbound.contact.photos[0].id
    assert first["contactIco"].endswith(f"/photos/{photo}")
    assert (inbound.spool / "photos" / str(photo)).read_bytes() == picture.read(0, 1 << 20)
    assert "contactIco" not in second
    assert inbound.calls("updateContact") == []


async def test_a_new_avatar_is_linked(inbound: InboundNumber) -> None:
    """A changed photo reaches the contact card."""
    await send(inbound, OwnFile("a.txt", "text/plain", b"x"), text="one")
    await inbound.until_texts("one")
    picture = await inbound.centre.files.keep(make_png(300, 300))
    inbound.contact.photos.append(inbound.centre.intake.photo(picture, "me.png"))

    await send(inbound, OwnFile("a.txt", "text/plain", b"x"), text="two")

    await inbound.until_texts("one", "two")
    (card,) = inbound.calls("updateContact")
    assert card["contactIco"].endswith(f"/photos/{inbound.contact.photos[0].id}")


async def test_a_caption_edit_does_not_repeat_the_file(inbound: InboundNumber) -> None:
    """Only an edit that brings another file brings it to Planfix."""
    ids = await send(inbound, OwnFile("a.txt", "text/plain", b"x"), text="old")
    await inbound.until_texts("old")

    inbound.centre.message_actions.edit(inbound.contact, ids[0], Draft("new"))

    await inbound.until_texts("old", "Edited: new")
    assert inbound.told[1].attachments == ()
