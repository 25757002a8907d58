"""What Telethon does when its line breaks, as observed on an unmodified client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon import functions
from telethon.tl.alltlobjects import LAYER

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.client_events import hear, texts
from tests.acceptance.sandbox.telegram.update_markers import line_is_back, pass_landmark
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

LINE_ENDED = (ConnectionError, asyncio.IncompleteReadError)


def layers(centre: DataCentre, account: Account) -> list[int | None]:
    return [session.layer for session in centre.keys.listening(account)]


async def cut_while_written_to(centre: DataCentre, reader: Account, writer: Account) -> None:
    """Cut an account's line, write to it at that moment, wait until the line is up again."""
    centre.cut(reader.phone)
    centre.message_actions.send(writer, reader, Draft("during the cut"))
    await line_is_back(centre, reader)


async def lose_line(client: Any, centre: DataCentre, account: Account) -> None:
    """Cut a client that does not reconnect by itself, when it has settled down."""
    await pass_landmark(centre, client, account)
    centre.cut(account.phone)
    with pytest.raises(LINE_ENDED):
        await asyncio.wait_for(client.disconnected, PATIENCE)


async def test_reconnect_alone_loses_what_came_meanwhile(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """After an automatic reconnect a message sent during the cut comes only by catch_up()."""
    client = await client_of(alice, connection_retries=100)
    heard = await hear(client)

    await cut_while_written_to(data_centre, alice, bob)
    await pass_landmark(data_centre, client, alice)
    by_itself = texts(heard)
    await client.catch_up()

    assert by_itself == []
    await eventually(lambda: texts(heard) == ["during the cut"], awaited="the difference")


async def test_next_message_reveals_the_gap(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """The next update shows the gap; half a second later the client asks for what is missing."""
    client = await client_of(alice, connection_retries=100)
    heard = await hear(client)
    await cut_while_written_to(data_centre, alice, bob)

    data_centre.message_actions.send(bob, alice, Draft("next"))
    await pass_landmark(data_centre, client, alice)
    at_once = texts(heard)

    assert at_once == []
    await eventually(lambda: texts(heard) == ["during the cut", "next"], awaited="both")


async def test_reconnect_does_not_announce_the_layer(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """InitConnection goes out on connect(), not on the connection of an automatic reconnect."""
    client = await client_of(alice, connection_retries=100)
    await client.get_me()
    first = layers(data_centre, alice)

    data_centre.cut(alice.phone)
    await line_is_back(data_centre, alice)

    assert first == [LAYER]
    assert layers(data_centre, alice) == [None]


async def test_hook_catches_up(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A catch_up() behind the library's own reconnect callback loses nothing."""
    client = await client_of(alice, connection_retries=100)
    heard = await hear(client)
    original = client._sender._auto_reconnect_callback

    async def hook() -> None:
        await original()
        await client.catch_up()

    client._sender._auto_reconnect_callback = hook
    await cut_while_written_to(data_centre, alice, bob)

    await eventually(lambda: texts(heard) == ["during the cut"], awaited="the difference")


async def test_hook_announces_the_layer(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A hook with initConnection, getState, catch_up() makes the connection as good as a first."""
    client = await client_of(alice, connection_retries=100)
    heard = await hear(client)

    async def hook() -> None:
        client._init_request.query = functions.help.GetConfigRequest()
        await client(functions.InvokeWithLayerRequest(LAYER, client._init_request))
        await client(functions.updates.GetStateRequest())
        await client.catch_up()

    client._sender._auto_reconnect_callback = hook
    await cut_while_written_to(data_centre, alice, bob)

    await eventually(lambda: texts(heard) == ["during the cut"], awaited="the difference")
    assert layers(data_centre, alice) == [LAYER]


async def test_unplanned_end_is_an_error(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """Without auto_reconnect a broken line ends `disconnected` with the transport's error."""
    client = await client_of(alice, auto_reconnect=False)

    data_centre.cut(alice.phone)

    with pytest.raises(LINE_ENDED):
        await asyncio.wait_for(client.disconnected, PATIENCE)
    assert not client.is_connected()


async def test_connecting_again_loses_the_gap(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """After an unplanned end, connect() with catch_up=True starts from now: the gap is lost."""
    client = await client_of(alice, auto_reconnect=False, catch_up=True)
    heard = await hear(client)
    await lose_line(client, data_centre, alice)
    data_centre.message_actions.send(bob, alice, Draft("away"))

    await client.connect()
    await client.get_me()
    data_centre.message_actions.send(bob, alice, Draft("back"))

    await eventually(lambda: heard, awaited="the live message")
    assert texts(heard) == ["back"]


@pytest.mark.parametrize("how", ["disconnect first", "save the state first", "catch up after"])
async def test_gap_is_closed_by(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account, how: str
) -> None:
    """Disconnect() before connect(), saving the state before it, or catch_up() after it works."""
    client = await client_of(alice, auto_reconnect=False, catch_up=how != "catch up after")
    heard = await hear(client)
    await lose_line(client, data_centre, alice)
    data_centre.message_actions.send(bob, alice, Draft("away"))

    if how == "disconnect first":
        await client.disconnect()
    elif how == "save the state first":
        await client._save_states_and_entities()
    await client.connect()
    if how == "catch up after":
        await client.catch_up()

    await eventually(lambda: texts(heard) == ["away"], awaited="the missed message")


async def test_client_gives_up(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """After its retries `disconnected` raises; later requests fail at once."""
    client = await client_of(alice, connection_retries=2)

    await data_centre.stop()

    with pytest.raises(ConnectionError, match="failed 2 time"):
        await asyncio.wait_for(client.disconnected, PATIENCE)
    assert not client.is_connected()
    with pytest.raises(ConnectionError, match="while disconnected"):
        await client.get_me()


async def test_request_waits_for_the_line(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A request made while the client reconnects is kept, answered once it is back."""
    client = await client_of(alice, connection_retries=500)
    port = data_centre.port
    await data_centre.stop()

    request = asyncio.ensure_future(client.get_me())
    await asyncio.wait([request], timeout=0.2)
    waited = not request.done()
    await data_centre.start(port=port)

    assert waited
    assert (await asyncio.wait_for(request, PATIENCE)).id == alice.id


async def test_half_open_line_hangs_until_the_second_ping(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """No request times out on a half-open line; the client leaves it at the second vain ping."""
    client = await client_of(alice, connection_retries=500)
    await client.get_me()
    line = next(iter(data_centre.connections))
    data_centre.afflict(Kind.BLACKHOLE, alice.phone)

    request = asyncio.ensure_future(client.get_me())
    client._sender._keepalive_ping(1)  # due every 60 seconds
    await asyncio.wait([request], timeout=0.2)
    hung = not request.done() and client.is_connected()
    data_centre.clear_faults()
    client._sender._keepalive_ping(2)

    assert hung
    assert (await asyncio.wait_for(request, PATIENCE)).id == alice.id
    assert line not in data_centre.connections
