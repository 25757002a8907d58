"""What people do with their phones, seen by an unmodified client."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from telethon.tl import types

from sandbox.telegram import phone_owner
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.phone_owner import OwnFile
from tests.acceptance.sandbox.telegram.client_events import hear
from tests.acceptance.sandbox.telegram.pictures import make_png, noise
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

FILES = [
    (OwnFile("a.png", "image/png", make_png()), "photo", "photo.png"),
    (OwnFile("line.png", "image/png", make_png(1, 30)), "document", "line.png"),
    (OwnFile("fake.jpg", "image/jpeg", b"no picture"), "document", "fake.jpg"),
    (OwnFile("a.mp4", "video/mp4", noise(999)), "video", "a.mp4"),
    (OwnFile("a.mp3", "audio/mpeg", noise(999)), "audio", "a.mp3"),
    (OwnFile("a.gif", "image/gif", b"GIF89a\x02\0\x01\0"), "gif", "a.gif"),
    (OwnFile("a.pdf", "application/pdf", noise(999)), "document", "a.pdf"),
    (OwnFile("empty.txt", "text/plain", b""), "document", "empty.txt"),
]


@pytest.mark.parametrize("example", FILES)
async def test_file_is_sent_as_an_app_would(
    data_centre: DataCentre,
    client_of: ClientOf,
    alice: Account,
    bob: Account,
    example: tuple[OwnFile, str, str],
) -> None:
    """The type of a file decides what it is sent as; the view of it tells name, size, hash."""
    file, kind, name = example
    his = await client_of(bob)
    heard = await hear(his)

    (sent_id,) = await phone_owner.send_files(data_centre, (alice, bob), [file], Draft("see"))

    await eventually(lambda: heard, awaited=kind)
    message, kept = heard[0].message, alice.box.get(sent_id)
    assert kept is not None
    assert getattr(message, kind) is not None
    assert (message.raw_text, await message.download_media(bytes)) == ("see", file.content)
    view = await phone_owner.view_file(data_centre, kept)
    digest = sha256(file.content).hexdigest()
    assert view == phone_owner.FileView(name, file.mime_type, len(file.content), digest)


async def test_several_files_are_albums(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Files that are sent together are grouped by ten, the text goes with the first."""
    his = await client_of(bob)
    heard = await hear(his)
    files = [OwnFile(f"{n}.pdf", "application/pdf", noise(9, n)) for n in range(12)]

    ids = await phone_owner.send_files(data_centre, (alice, bob), files, Draft("all"))

    await eventually(lambda: len(heard) == 12, awaited="all files")
    groups = [event.grouped_id for event in heard]
    assert len(ids) == len(set(ids)) == 12
    assert [groups.count(group) for group in dict.fromkeys(groups)] == [10, 2]
    assert [event.raw_text for event in heard] == ["all"] + [""] * 11


async def test_voice_is_a_voice_note(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A recording comes alone, to be listened to."""
    his = await client_of(bob)
    heard = await hear(his)
    note = OwnFile("note.ogg", "audio/ogg", noise(99))

    await phone_owner.send_files(data_centre, (alice, bob), [note, note], voice=True)

    await eventually(lambda: len(heard) == 2, awaited="both notes")
    assert all(event.voice and event.message.media_unread for event in heard)
    assert {event.grouped_id for event in heard} == {None}


async def test_missed_call_is_told(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Who missed a call finds a service message about it."""
    his = await client_of(bob)

    call_id = phone_owner.miss_call(data_centre, alice, bob)

    (message,) = await his.get_messages("alice")
    assert isinstance(message.action, types.MessageActionPhoneCall)
    assert isinstance(message.action.reason, types.PhoneCallDiscardReasonMissed)
    missed = alice.box.get(call_id)
    assert missed is not None
    assert await phone_owner.view_file(data_centre, missed) is None


async def test_reset_forgets_files(data_centre: DataCentre, alice: Account, bob: Account) -> None:
    """After a reset nothing is left of any file, new ones are kept as before."""
    file = OwnFile("a.pdf", "application/pdf", noise(99))
    await phone_owner.send_files(data_centre, (alice, bob), [file])

    data_centre.reset()

    assert not data_centre.files.items
    people = data_centre.add_account("+38001", "A"), data_centre.add_account("+38002", "B")
    (sent_id,) = await phone_owner.send_files(data_centre, people, [file])
    message = people[0].box.get(sent_id)
    assert message is not None
    assert message.content.media.file.read(0, 200) == noise(99)
