"""What a client finds out about the time it was away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon import events, functions
from telethon.tl import types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.client_events import hear, texts
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw


async def difference(client: Any, pts: int, **limits: Any) -> Any:
    return await client(functions.updates.GetDifferenceRequest(pts, None, 0, **limits))


async def test_catch_up_brings_what_was_missed(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A message that came while disconnected comes with the difference."""
    client = await client_of(alice, catch_up=True)
    heard = await hear(client)
    await client.disconnect()
    data_centre.message_actions.send(bob, alice, Draft("away"))

    await client.connect()

    await eventually(lambda: texts(heard) == ["away"], awaited="the missed message")


async def test_long_absence_comes_in_slices(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """450 missed messages arrive in order over several slices."""
    client = await client_of(alice, catch_up=True, sequential_updates=True)
    heard = await hear(client)
    await client.disconnect()
    for number in range(450):
        data_centre.message_actions.send(bob, alice, Draft(str(number)))

    await client.connect()

    await eventually(lambda: len(heard) >= 450, awaited="450 messages")
    assert texts(heard) == [str(number) for number in range(450)]


async def test_difference_carries_every_kind_of_event(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """New messages as they stand now, then edits, deletions, receipts with their pts."""
    client, office, start = await client_of(alice), data_centre.message_actions, alice.log.pts
    edited = office.send(bob, alice, Draft("one")).message
    deleted = office.send(bob, alice, Draft("two")).message
    mine = office.send(alice, bob, Draft("mine")).message
    office.edit(bob, edited.id, Draft("one, edited"))
    office.delete(bob, [deleted.id], for_all=True)
    office.read(bob, alice)

    missed = await difference(client, start)

    assert [m.message for m in missed.new_messages] == ["one, edited", "mine"]
    kinds = [type(update) for update in missed.other_updates]
    assert kinds == [
        types.UpdateEditMessage,
        types.UpdateDeleteMessages,
        types.UpdateReadHistoryOutbox,
    ]
    assert missed.other_updates[2].max_id == mine.id
    assert missed.state.pts == alice.log.pts == start + 6
    assert {user.id for user in missed.users} == {alice.id, bob.id}


async def test_nothing_missed_is_empty(client_of: ClientOf, alice: Account) -> None:
    """Whoever is up to date gets an empty difference."""
    client = await client_of(alice)

    assert isinstance(await difference(client, alice.log.pts), types.updates.DifferenceEmpty)


async def test_client_sets_the_size_of_a_slice(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A slice holds no more than asked for; its state leads to the next."""
    client = await client_of(alice)
    for number in range(5):
        data_centre.message_actions.send(bob, alice, Draft(str(number)))

    part = await difference(client, 1, pts_limit=2)
    rest = await difference(client, part.intermediate_state.pts)

    assert [m.message for m in part.new_messages] == ["0", "1"]
    assert [m.message for m in rest.new_messages] == ["2", "3", "4"]


async def test_too_long_when_events_are_forgotten(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Whoever was away too long is only told where the server is."""
    client = await client_of(alice)
    data_centre.message_actions.send(bob, alice, Draft("lost"))
    data_centre.afflict(Kind.TOO_LONG, alice.phone)
    data_centre.message_actions.send(bob, alice, Draft("found"))

    assert await difference(client, 1) == types.updates.DifferenceTooLong(alice.log.pts)
    later = await difference(client, alice.log.pts - 1)
    assert [m.message for m in later.new_messages] == ["found"]


async def test_message_during_a_cut_needs_the_difference(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """What was never pushed is not pushed after a reconnect; catching up brings it."""
    client = await client_of(alice)
    heard = await hear(client)
    data_centre.cut(alice.phone)
    data_centre.message_actions.send(bob, alice, Draft("during the cut"))
    await eventually(lambda: data_centre.count_connections(alice.phone).open, awaited="reconnect")

    await client.get_me()
    before = texts(heard)
    await client.catch_up()

    assert before == []
    await eventually(lambda: texts(heard) == ["during the cut"], awaited="the difference")


async def test_pushed_updates_survive_a_cut_once(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Unacknowledged updates go out again to the new session, where pts makes them one."""
    client = await client_of(alice)
    heard = await hear(client)
    raw = await hear(client, events.Raw())
    data_centre.message_actions.send(bob, alice, Draft("live"))
    await eventually(lambda: heard, awaited="the message")

    data_centre.cut(alice.phone)
    await eventually(lambda: data_centre.count_connections(alice.phone).open, awaited="reconnect")
    data_centre.message_actions.send(bob, alice, Draft("later"))

    await eventually(lambda: "later" in texts(heard), awaited="the next message")
    assert texts(heard) == ["live", "later"]
    assert raw


async def test_client_without_updates_hears_nothing(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Requests wrapped in invokeWithoutUpdates don't subscribe."""
    client = await client_of(alice, receive_updates=False)
    await client.get_me()

    data_centre.message_actions.send(bob, alice, Draft("unheard"))

    assert not list(data_centre.keys.listening(alice))


async def test_updates_reach_who_asks_for_them(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account
) -> None:
    """A session is pushed to only after its first request that needs a login."""
    raw = await connect_raw(alice)
    listening = []

    for request in (functions.help.GetConfigRequest(), functions.updates.GetStateRequest()):
        await raw.answer_to(raw.send(request))
        listening.append(len(list(data_centre.keys.listening(alice))))

    assert listening == [0, 1]
