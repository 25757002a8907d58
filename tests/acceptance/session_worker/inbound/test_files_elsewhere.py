"""Files that lie in another data centre arrive, and hold up nobody where they do not."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.telegram import phone_owner
from sandbox.telegram.addresses import HOME_DC, OTHER_DC
from sandbox.telegram.faults import Kind
from sandbox.telegram.phone_owner import OwnFile
from session_worker.protocol.messages import Failed, Trying
from tests.acceptance.sandbox.telegram.pictures import make_png
from tests.acceptance.session_worker.inbound.bench import PHONE
from tests.acceptance.session_worker.number import HASTY
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.planfix.traffic_log import Message
    from sandbox.telegram.accounts.accounts import Account
    from tests.acceptance.session_worker.inbound.bench import Bench


def elsewhere(size: int = 700_000, name: str = "a.bin") -> OwnFile:
    return OwnFile(name, "application/zip", os.urandom(size), OTHER_DC)


async def send(bench: Bench, *files: OwnFile, text: str, sender: Account | None = None) -> None:
    people = sender or bench.contact, bench.me
    await phone_owner.send_files(bench.centre, people, files, text=text)


def digests(message: Message) -> list[str | None]:
    return [file.sha256 for file in message.attachments]


def sha256(file: OwnFile) -> str:
    return hashlib.sha256(file.content).hexdigest()


@pytest.mark.parametrize(
    "file",
    [elsewhere(), OwnFile("a.png", "image/png", make_png(400, 300), OTHER_DC)],
    ids=["document", "photo"],
)
async def test_a_file_from_another_data_centre_arrives(bench: Bench, file: OwnFile) -> None:
    """The key that proves our own data centre proves those it names as well."""
    await send(bench, file, text="look")

    await bench.until_texts("look")
    assert digests(bench.told[0]) == [sha256(file)]


async def test_one_line_to_each_data_centre_serves_all_chats(bench: Bench) -> None:
    """Files of several chats share a line and a key, which no second line ever uses."""
    files = [elsewhere(name=f"{n}.bin") for n in range(4)]
    people = [bench.contact, bench.other]

    for number, file in enumerate(files):
        await send(bench, file, text=str(number), sender=people[number % 2])

    await eventually(lambda: len(bench.told) == len(files), awaited=f"all, have {bench.texts}")
    arrived = {message.text: digests(message) for message in bench.told}
    assert arrived == {str(n): [sha256(file)] for n, file in enumerate(files)}
    (key,) = bench.centre.keys_at(OTHER_DC).of_account(bench.me)
    assert key.refusal is None
    assert bench.me.peak_per_key == 1


async def test_a_dead_data_centre_holds_up_no_other_files(bench: Bench) -> None:
    """Downloads that hang keep no room from files that can be had."""
    bench.centre.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    people = [bench.centre.add_account(f"38050222000{n}", f"P{n}") for n in range(5)]
    for person in people:
        await send(bench, elsewhere(), text="hangs", sender=person)
    near = OwnFile("b.bin", "application/zip", os.urandom(700_000))

    await send(bench, near, text="near")

    await bench.until_texts("near")
    assert digests(bench.told[0]) == [sha256(near)]


async def test_a_try_that_hangs_is_counted_with_its_reason(bench: Bench) -> None:
    """Whoever looks at the journal sees how often a file was asked for, and why in vain."""
    bench.timing = replace(HASTY, albums=bench.timing.albums)
    await bench.stop()
    await bench.start_again()
    bench.centre.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    file = elsewhere()
    await send(bench, file, text="late")
    await eventually(lambda: len(failures(bench)) > 1, awaited="two tries in vain")
    failure = failures(bench)[-1].failure
    assert failure.code == "telegram_file_unreachable"
    assert "a.bin" in failure.detail
    assert f"data centre {OTHER_DC}" in failure.detail
    assert failure.next_try is not None
    assert all(each.was_untold for each in failures(bench))
    assert not [event for event in bench.desk.events if isinstance(event, Trying)]

    bench.centre.clear_faults()

    await bench.until_texts("late")
    assert digests(bench.told[0]) == [sha256(file)]


def failures(bench: Bench) -> list[Failed]:
    return [event for event in bench.desk.events if isinstance(event, Failed)]


async def test_a_photo_in_a_dead_data_centre_holds_up_no_message(bench: Bench) -> None:
    """Messages of contacts whose photo can not be had go without it, those of others meanwhile."""
    bench.centre.afflict(Kind.BLACKHOLE, dc_id=OTHER_DC)
    picture = await bench.centre.files.keep(make_png(300, 300))
    people = [bench.centre.add_account(f"38050222000{n}", f"P{n}") for n in range(5)]
    for person in people:
        person.photos.append(bench.centre.intake.photo(picture, "me.png", dc_id=OTHER_DC))
        bench.write("with photo", sender=person)

    bench.write("without")

    await eventually(lambda: bench.texts, awaited="the first message")
    assert bench.texts[0] == "without"
    await eventually(lambda: len(bench.texts) == 6, awaited=f"all, have {bench.texts}")


async def test_a_cut_of_the_other_line_costs_nothing(bench: Bench) -> None:
    """A download goes on where it was, under the same key, on a new line."""
    bench.centre.afflict(Kind.SLOW, PHONE, 0.05)
    file = elsewhere(3_000_000)
    await send(bench, file, text="long")
    part = bench.spool / "in" / "1" / "0.part"
    await eventually(part.exists)

    bench.centre.cut(dc_id=OTHER_DC)

    await bench.until_texts("long")
    assert digests(bench.told[0]) == [sha256(file)]
    (key,) = bench.centre.keys_at(OTHER_DC).of_account(bench.me)
    assert key.refusal is None


@pytest.mark.parametrize("is_forgotten", [True, False], ids=["key", "login"])
async def test_a_login_lost_elsewhere_is_carried_over_again(
    bench: Bench, is_forgotten: bool
) -> None:
    """What is lost in another data centre is no lost login of the number's."""
    await send(bench, elsewhere(), text="one")
    await bench.until_texts("one")
    keys = bench.centre.keys_at(OTHER_DC)
    for key in keys.of_account(bench.me):
        keys.forget(key) if is_forgotten else keys.sign_out(key)
    file = elsewhere()

    await send(bench, file, text="two")

    await bench.until_texts("one", "two")
    assert digests(bench.told[1]) == [sha256(file)]


async def test_a_file_that_has_moved_is_followed(bench: Bench) -> None:
    """Where a data centre names another one for a file, it is asked there."""
    bench.centre.fail(f"FILE_MIGRATE_{OTHER_DC}", phone=PHONE, method="upload.getFile", times=1)
    file = OwnFile("a.bin", "application/zip", os.urandom(10_000), HOME_DC)

    await send(bench, file, text="moved")

    await bench.until_texts("moved")
    assert digests(bench.told[0]) == [sha256(file)]


async def test_a_file_in_a_delivery_network_is_told_as_gone(bench: Bench) -> None:
    """A file we are sent to a content delivery network for leaves a line, not a dead letter."""
    bench.centre.afflict(Kind.CDN)

    await send(bench, OwnFile("a.pdf", "application/pdf", b"content"), text="look")

    await bench.until_texts("look\nFile a.pdf can not be fetched from Telegram any more")


async def test_nothing_stays_open_elsewhere(bench: Bench) -> None:
    """A number that stops leaves no line to any data centre."""
    await send(bench, elsewhere(), text="one")
    await bench.until_texts("one")
    assert {line.address.dc_id for line in bench.centre.connections} == {HOME_DC, OTHER_DC}

    await bench.stop()

    await eventually(lambda: not bench.centre.connections, awaited="no connection")
