"""What Planfix is told of somebody who writes for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.planfix.fault import Mode
from sandbox.telegram.faults import method_fault

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.bench import Bench

BIO = "Beekeeper \U0001f41d since 1998, write to Taras.Melnyk+honey@example.com.ua"
GIVEN = {"contactData", "contactEmail"}


async def test_first_message_introduces_its_writer(bench: Bench) -> None:
    """The public link, the bio, an address in it: told once, while Planfix has no task."""
    bench.contact.about = BIO
    bench.write("hello")
    bench.write("anybody there?")

    await bench.until_texts("hello", "anybody there?")
    first, second = bench.calls("newMessage")
    assert first["contactData"] == f"https://t.me/taras_m\n{BIO}"
    assert first["contactEmail"] == "Taras.Melnyk+honey@example.com.ua"
    assert not GIVEN & second.keys()


async def test_nothing_to_say_is_not_said(bench: Bench) -> None:
    """Neither a user name nor a bio makes no field, nor does a bio that is not shown."""
    bench.other.about, bench.other.about_visible = BIO, False
    bench.write("hello", sender=bench.other)

    await bench.until_texts("hello")
    (call,) = bench.calls("newMessage")
    assert not GIVEN & call.keys()


async def test_whom_the_owner_writes_to_is_introduced_too(bench: Bench) -> None:
    """An echo may be a chat's first message: the bio is the contact's, not the owner's."""
    bench.contact.about, bench.me.about = "Beekeeper", "Shop"
    bench.write("Is there honey?", sender=bench.me)

    await bench.until_texts("Is there honey?")
    (call,) = bench.calls("newMessage")
    assert call["contactData"] == "https://t.me/taras_m\nBeekeeper"


async def test_message_arrives_without_a_bio_that_can_not_be_had(bench: Bench) -> None:
    """Telegram's trouble with a profile is not the message's."""
    bench.contact.about = BIO
    bench.centre.faults.fail(method_fault("FLOOD_WAIT_3000", method="users.GetFullUserRequest"))
    bench.write("hello")
    bench.write("hello", sender=bench.other)

    await bench.until_texts("hello", "hello")
    calls = {call["contactName"]: call for call in bench.calls("newMessage")}
    assert calls["Taras"]["contactData"] == "https://t.me/taras_m"
    assert bench.desk.failures == []


async def test_introduction_is_repeated_until_planfix_takes_it(bench: Bench) -> None:
    """A try that failed has introduced nobody."""
    bench.contact.about = BIO
    bench.fault(Mode.ERROR, cmd="newMessage", times=2)
    bench.write("hello")

    await bench.until_texts("hello")
    told = [call["contactData"] for call in bench.calls("newMessage")]
    assert told == [f"https://t.me/taras_m\n{BIO}"] * 3
