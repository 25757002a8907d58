"""What Planfix is told of somebody who writes for the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.planfix.fault import Mode
from sandbox.telegram.faults import method_fault

if TYPE_CHECKING:
    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber

BIO = "Beekeeper \U0001f41d since 1998, write to Taras.Melnyk+honey@example.com.ua"
GIVEN = {"contactData", "contactEmail"}


async def test_first_message_introduces_its_writer(inbound: InboundNumber) -> None:
    """The public link, the bio, an address in it: told once, while Planfix has no task."""
    inbound.contact.about = BIO
    inbound.write("hello")
    inbound.write("anybody there?")

    await inbound.until_texts("hello", "anybody there?")
    first, second = inbound.calls("newMessage")
    assert first["contactData"] == f"https://t.me/taras_m\n{BIO}"
    assert first["contactEmail"] == "Taras.Melnyk+honey@example.com.ua"
    assert not GIVEN & second.keys()


async def test_nothing_to_say_is_not_said(inbound: InboundNumber) -> None:
    """Neither a user name nor a bio makes no field, nor does a bio that is not shown."""
    inbound.other.about, inbound.other.about_visible = BIO, False
    inbound.write("hello", sender=inbound.other)

    await inbound.until_texts("hello")
    (call,) = inbound.calls("newMessage")
    assert not GIVEN & call.keys()


async def test_whom_the_owner_writes_to_is_introduced_too(inbound: InboundNumber) -> None:
    """An echo may be a chat's first message: the bio is the contact's, not the owner's."""
    inbound.contact.about, inbound.me.about = "Beekeeper", "Shop"
    inbound.write("Is there honey?", sender=inbound.me)

    await inbound.until_texts("Is there honey?")
    (call,) = inbound.calls("newMessage")
    assert call["contactData"] == "https://t.me/taras_m\nBeekeeper"


async def test_message_arrives_without_a_bio_that_can_not_be_had(inbound: InboundNumber) -> None:
    """Telegram's trouble with a profile is not the message's."""
    inbound.contact.about = BIO
    inbound.centre.faults.fail(method_fault("FLOOD_WAIT_3000", method="users.GetFullUserRequest"))
    inbound.write("hello")
    inbound.write("hello", sender=inbound.other)

    await inbound.until_texts("hello", "hello")
    calls = {call["contactName"]: call for call in inbound.calls("newMessage")}
    assert calls["Taras"]["contactData"] == "https://t.me/taras_m"
    assert inbound.recorder.failures == []


async def test_introduction_is_repeated_until_planfix_takes_it(inbound: InboundNumber) -> None:
    """A try that failed has introduced nobody."""
    inbound.contact.about = BIO
    inbound.fault(Mode.ERROR, cmd="newMessage", times=2)
    inbound.write("hello")

    await inbound.until_texts("hello")
    told = [call["contactData"] for call in inbound.calls("newMessage")]
    assert told == [f"https://t.me/taras_m\n{BIO}"] * 3
