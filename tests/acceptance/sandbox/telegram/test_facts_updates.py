"""What Telethon makes of the updates that come in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon import events
from telethon._updates import MessageBox

from sandbox.telegram.chats import tl_views
from sandbox.telegram.chats.message_actions import Draft
from tests.acceptance.sandbox.telegram.client_events import address, hear, texts
from tests.acceptance.sandbox.telegram.update_markers import pass_landmark
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

KINDS = (events.NewMessage(), events.MessageEdited(), events.MessageDeleted(), events.MessageRead())


class FixedBox(MessageBox):  # type: ignore[misc]  # Telethon ships no types
    """A message box that keeps the other updates of a difference, which Telethon drops."""

    __slots__ = ()

    def apply_difference(self, diff: Any, hashes: Any) -> Any:
        kept, users, chats = super().apply_difference(diff, hashes)
        lost = [u for u in getattr(diff, "other_updates", ()) if all(u is not k for k in kept)]
        for update in lost:
            update._self_outgoing = False
        return kept + lost, users, chats


class StuckHandler:
    """A handler that hangs at the first message until it is freed."""

    def __init__(self) -> None:
        self.freed = asyncio.Event()
        self.begun: list[str] = []
        self.done: list[str] = []

    async def __call__(self, event: Any) -> None:
        self.begun.append(event.raw_text)
        if len(self.begun) == 1:
            await self.freed.wait()
        self.done.append(event.raw_text)


def kinds(heard: list[Any]) -> list[str]:
    return [type(event).__qualname__.partition(".")[0] for event in heard]


async def test_order_is_not_kept(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """By default each update gets its own task: a slow handler is overtaken."""
    client, handler = await client_of(alice), StuckHandler()
    client.add_event_handler(handler, events.NewMessage())
    await client.get_me()

    for number in range(3):
        data_centre.message_actions.send(bob, alice, Draft(str(number)))
    await eventually(lambda: len(handler.done) == 2, awaited="the others")
    handler.freed.set()

    await eventually(lambda: handler.done == ["1", "2", "0"], awaited="the first, at last")


async def test_sequential_updates_wait_for_the_handler(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """With sequential_updates order is kept, but a hanging handler stops the account."""
    client, handler = await client_of(alice, sequential_updates=True), StuckHandler()
    client.add_event_handler(handler, events.NewMessage())
    await client.get_me()

    for number in range(3):
        data_centre.message_actions.send(bob, alice, Draft(str(number)))
    await eventually(lambda: handler.begun, awaited="the first message")
    await client.get_me()
    begun = list(handler.begun)
    handler.freed.set()

    assert begun == ["0"]
    await eventually(lambda: handler.done == ["0", "1", "2"], awaited="all, in order")


async def test_short_update_names_nobody(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """An unknown sender of a short update has to be fetched; then its bare id will do."""
    client = await client_of(alice)
    heard = await hear(client)
    data_centre.update_push.prefers_short = True
    data_centre.message_actions.send(bob, alice, Draft("short"))
    (event,) = await eventually(lambda: heard, awaited="the message")
    known = event.sender

    with pytest.raises(ValueError, match="Could not find the input entity"):
        await client.send_message(bob.id, "too early")
    sender = await event.get_input_sender()
    await client.send_message(bob.id, "reply")

    assert (event.sender_id, known) == (bob.id, None)
    assert sender == address(alice, bob)
    assert [m.content.text for m in bob.box] == ["short", "reply"]


async def test_own_send_is_no_event(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """The client that sends hears nothing of it; the account's other client does."""
    there, here = await client_of(alice), await client_of(alice)
    heard_here, heard_there = await hear(here), await hear(there)

    await here.send_message(address(alice, bob), "mine")
    await eventually(lambda: texts(heard_there) == ["mine"], awaited="the echo")
    await pass_landmark(data_centre, here, alice)

    assert heard_here == []


async def test_own_send_is_an_event_of_a_difference(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """An own message that comes back through a difference is heard like another device's."""
    client = await client_of(alice, catch_up=True)
    heard = await hear(client)
    await client.send_message(address(alice, bob), "mine")
    await client.disconnect()

    client.session.set_update_state(0, tl_views.state(alice, alice.log.pts - 1))
    await client.connect()

    await eventually(lambda: texts(heard) == ["mine"], awaited="the own message")


async def test_client_without_updates_raises_no_events(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """With receive_updates=False nothing is pushed, whatever the client asks."""
    deaf, client = await client_of(alice, receive_updates=False), await client_of(alice)
    unheard, heard = await hear(deaf), await hear(client)

    data_centre.message_actions.send(bob, alice, Draft("heard by one"))
    await eventually(lambda: heard, awaited="the message at the other client")
    await deaf.get_me()

    assert unheard == []


@pytest.mark.parametrize("box", [MessageBox, FixedBox])
async def test_difference_drops_all_but_messages(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account, box: type
) -> None:
    """Edits, deletions, receipts are heard live, lost in a difference unless the box is mended."""
    client = await client_of(alice, catch_up=True, sequential_updates=True)
    client._message_box.__class__ = box
    heard, office = await hear(client, *KINDS), data_centre.message_actions
    other = office.send(bob, alice, Draft("other")).message

    def happen(text: str) -> None:
        mine, theirs = office.send(alice, bob, Draft("mine")), office.send(bob, alice, Draft("new"))
        office.edit(bob, theirs.message.id, Draft(text))
        office.read(bob, alice, mine.message.content.copies[bob.id])

    happen("live")
    await eventually(lambda: len(heard) >= 5, awaited="all that happened live")
    live = kinds(heard)
    await client.disconnect()
    heard.clear()
    happen("away")
    office.delete(bob, [other.id], for_all=True)
    await client.connect()
    data_centre.message_actions.send(bob, alice, Draft("back"))
    await eventually(lambda: "back" in texts_of(heard), awaited="the difference")
    await pass_landmark(data_centre, client, alice)

    others = ["MessageEdited", "MessageRead", "MessageDeleted"] if box is FixedBox else []
    assert live == [*["NewMessage"] * 3, "MessageEdited", "MessageRead"]
    assert [kind for kind in kinds(heard) if kind != "NewMessage"] == others


def texts_of(heard: list[Any]) -> list[str]:
    return [event.raw_text for event in heard if isinstance(event, events.NewMessage.Event)]


async def test_too_long_difference_is_skipped(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """What the server no longer has as a difference is passed over in silence."""
    client = await client_of(alice, catch_up=True)
    heard = await hear(client)
    await client.disconnect()
    for number in range(5):
        data_centre.message_actions.send(bob, alice, Draft(f"missed {number}"))
    data_centre.forget_events(alice.phone)

    await client.connect()
    await client.get_me()
    data_centre.message_actions.send(bob, alice, Draft("after"))

    await eventually(lambda: heard, awaited="the live message")
    assert texts(heard) == ["after"]
