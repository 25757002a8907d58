"""Files that lie in another data centre arrive, and hold up nobody where they do not."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram import phone_owner
from sandbox.telegram.addresses import HOME_DC, OTHER_DC
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile
from session_worker.protocol.messages import Failed, Trying
from tests.acceptance.sandbox.telegram.pictures import make_png
from tests.acceptance.session_worker.inbound.inbound_number import PHONE
from tests.acceptance.session_worker.number import HASTY_ELSEWHERE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.planfix.traffic_log import Message
    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber


def elsewhere(size: int = 700_000, name: str = "a.bin") -> OwnFile:
    return OwnFile(name, "application/zip", os.urandom(size), OTHER_DC)


async def send(
    inbound: InboundNumber, *files: OwnFile, text: str, sender: Account | None = None
) -> None:
    people = sender or inbound.contact, inbound.me
    await phone_owner.send_files(inbound.centre, people, files, Draft(text))


def digests(message: Message) -> list[str | None]:
    return [file.sha256 for file in message.attachments]


def sha256(file: OwnFile) -> str:
    return hashlib.sha256(file.content).hexdigest()


@pytest.mark.parametrize(
    "file",
    [elsewhere(), OwnFile("a.png", "image/png", make_png(400, 300), OTHER_DC)],
    ids=["document", "photo"],
)
async def test_a_file_from_another_data_centre_arrives(
    inbound: InboundNumber, file: OwnFile
) -> None:
    """The key that proves our own data centre proves those it names as well."""
    await send(inbound, file, text="look")

    await inbound.until_texts("look")
    assert digests(inbound.told[0]) == [sha256(file)]


async def test_one_line_to_each_data_centre_serves_all_chats(inbound: InboundNumber) -> None:
    """Files of several chats share a line and a key, which no second line ever uses."""
    files = [elsewhere(name=f"{n}.bin") for n in range(4)]
    people = [inbound.contact, inbound.other]

    for number, file in enumerate(files):
        await send(inbound, file, text=str(number), sender=people[number % 2])

    await eventually(lambda: len(inbound.told) == len(files), awaited=f"all, have {inbound.texts}")
    arrived = {message.text: digests(message) for message in inbound.told}
    assert arrived == {str(n): [sha256(file)] for n, file in enumerate(files)}
    (key,) = inbound.centre.keys_at(OTHER_DC).of_account(inbound.me)
    assert key.refusal is None
    assert inbound.me.peak_per_key == 1


async def test_a_dead_data_centre_holds_up_no_other_files(inbound: InboundNumber) -> None:
    """Downloads that hang keep no room from files that can be had."""
    inbound.centre.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    people = [inbound.centre.add_account(f"38050222000{n}", f"P{n}") for n in range(5)]
    for person in people:
        await send(inbound, elsewhere(), text="hangs", sender=person)
    near = OwnFile("b.bin", "application/zip", os.urandom(700_000))

    await send(inbound, near, text="near")

    await inbound.until_texts("near")
    assert digests(inbound.told[0]) == [sha256(near)]


async def test_a_try_that_hangs_is_counted_with_its_reason(inbound: InboundNumber) -> None:
    """Whoever looks at the journal sees how often a file was asked for, and why in vain."""
    inbound.timing = replace(HASTY_ELSEWHERE, connect_limit=3)
    await inbound.stop()
    await inbound.start_again()
    inbound.centre.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    file = elsewhere()
    await send(inbound, file, text="late")
    await eventually(lambda: len(failures(inbound)) > 1, awaited="two tries in vain")
    failure = failures(inbound)[-1].failure
    assert failure.code == "telegram_file_unreachable"
    assert "a.bin" in failure.detail
    assert f"data centre {OTHER_DC}" in failure.detail
    assert failure.next_try is not None
    assert all(each.was_untold for each in failures(inbound))
    assert not [event for event in inbound.recorder.events if isinstance(event, Trying)]

    inbound.centre.clear_faults()

    await inbound.until_texts("late")
    assert digests(inbound.told[0]) == [sha256(file)]


def failures(inbound: InboundNumber) -> list[Failed]:
    return [event for event in inbound.recorder.events if isinstance(event, Failed)]


async def test_a_photo_in_a_dead_data_centre_holds_up_no_message(inbound: InboundNumber) -> None:
    """Messages of contacts whose photo cannot be had go without it, those of others meanwhile."""
    inbound.centre.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    picture = await inbound.centre.files.keep(make_png(300, 300))
    people = [inbound.centre.add_account(f"38050222000{n}", f"P{n}") for n in range(5)]
    for person in people:
        person.photos.append(inbound.centre.intake.photo(picture, "me.png", dc_id=OTHER_DC))
        inbound.write("with photo", sender=person)

    inbound.write("without")

    await eventually(lambda: inbound.texts, awaited="the first message")
    assert inbound.texts[0] == "without"
    await eventually(lambda: len(inbound.texts) == 6, awaited=f"all, have {inbound.texts}")


async def test_a_cut_of_the_other_line_costs_nothing(inbound: InboundNumber) -> None:
    """A download goes on where it was, under the same key, on a new line."""
    inbound.centre.afflict(Kind.SLOW, PHONE, 0.05)
    file = elsewhere(3_000_000)
    await send(inbound, file, text="long")
    await eventually(lambda: list(inbound.spool.glob("in/1/0-*.part")))

    inbound.centre.cut(dc_id=OTHER_DC)

    await inbound.until_texts("long")
    assert digests(inbound.told[0]) == [sha256(file)]
    (key,) = inbound.centre.keys_at(OTHER_DC).of_account(inbound.me)
    assert key.refusal is None


@pytest.mark.parametrize("is_forgotten", [True, False], ids=["key", "login"])
async def test_a_login_lost_elsewhere_is_carried_over_again(
    inbound: InboundNumber, is_forgotten: bool
) -> None:
    """What is lost in another data centre is no lost login of the number's."""
    await send(inbound, elsewhere(), text="one")
    await inbound.until_texts("one")
    keys = inbound.centre.keys_at(OTHER_DC)
    for key in keys.of_account(inbound.me):
        keys.forget(key) if is_forgotten else keys.sign_out(key)
    file = elsewhere()

    await send(inbound, file, text="two")

    await inbound.until_texts("one", "two")
    assert digests(inbound.told[1]) == [sha256(file)]


async def test_a_file_that_has_moved_is_followed(inbound: InboundNumber) -> None:
    """Where a data centre names another one for a file, it is asked there."""
    inbound.centre.fail(f"FILE_MIGRATE_{OTHER_DC}", phone=PHONE, method="upload.getFile", times=1)
    file = OwnFile("a.bin", "application/zip", os.urandom(10_000), HOME_DC)

    await send(inbound, file, text="moved")

    await inbound.until_texts("moved")
    assert digests(inbound.told[0]) == [sha256(file)]


async def test_a_file_in_a_delivery_network_is_told_as_gone(inbound: InboundNumber) -> None:
    """A file we are sent to a content delivery network for leaves a line, not a dead letter."""
    inbound.centre.afflict(Kind.CDN)

    await send(inbound, OwnFile("a.pdf", "application/pdf", b"content"), text="look")

    await inbound.until_texts("look\nFile a.pdf cannot be fetched from Telegram any more")


async def test_nothing_stays_open_elsewhere(inbound: InboundNumber) -> None:
    """A number that stops leaves no line to any data centre."""
    await send(inbound, elsewhere(), text="one")
    await inbound.until_texts("one")
    assert {line.address.dc_id for line in inbound.centre.connections} == {HOME_DC, OTHER_DC}

    await inbound.stop()

    await eventually(lambda: not inbound.centre.connections, awaited="no connection")
