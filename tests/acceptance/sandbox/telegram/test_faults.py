"""Faults as clients meet them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from telethon import errors, functions, types

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from tests.acceptance.sandbox.telegram.client_events import address, hear, texts
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf

GET_STATE = functions.updates.GetStateRequest()
PATIENCE = 0.2  # seconds in which an answer would long have come


async def test_method_answers_with_the_error_so_often(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """An error is given as often as ordered, to that account and method only."""
    client = await client_of(alice)
    data_centre.fail("PEER_FLOOD", phone="+" + alice.phone, method="messages.sendMessage", times=1)

    with pytest.raises(errors.PeerFloodError):
        await client.send_message(address(alice, bob), "hi")

    assert await client.send_message(address(alice, bob), "hi")
    assert await (await client_of(bob)).send_message(address(bob, alice), "hi")


@pytest.mark.parametrize("name", ["SendMessageRequest", "messages.SendMessage", "*"])
async def test_method_may_be_named_in_any_spelling(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account, name: str
) -> None:
    """FLOOD_WAIT comes with its code and seconds."""
    client = await client_of(alice)
    data_centre.fail("FLOOD_WAIT_30", method=name)

    with pytest.raises(errors.FloodWaitError) as caught:
        await client.send_message(address(alice, bob), "hi")

    assert (caught.value.code, caught.value.seconds) == (420, 30)


async def test_error_before_the_login(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """An account's fault applies to its login too, known by the phone in the request."""
    client = await client_of()
    data_centre.fail("PHONE_NUMBER_FLOOD", phone=alice.phone, method="auth.sendCode")

    with pytest.raises(errors.PhoneNumberFloodError):
        await client.send_code_request(alice.phone)


async def test_cut_breaks_then_lets_back(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A cut line is gone at once; the client comes back by itself."""
    client = await client_of(alice, connection_retries=100)
    await client.get_me()

    data_centre.afflict(Kind.CUT, alice.phone)

    assert data_centre.count_connections(alice.phone).open == 0
    assert await client(GET_STATE)


async def test_cut_for_a_while_refuses_connections(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """With seconds, that account's connections are refused so long; others are not."""
    hers, his = await client_of(alice, connection_retries=1000), await client_of(bob)
    data_centre.afflict(Kind.CUT, alice.phone, 60)

    request = asyncio.ensure_future(hers(GET_STATE))
    assert await his(GET_STATE)
    await asyncio.wait([request], timeout=PATIENCE)
    was_answered = request.done()
    data_centre.clear_faults()

    assert not was_answered
    assert await request


async def test_blackhole_swallows_requests(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A half-open line reads, answers nothing; the account's new lines do the same."""
    client = await client_of(alice)
    data_centre.afflict(Kind.BLACKHOLE, alice.phone)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client(GET_STATE), PATIENCE)

    assert client.is_connected()
    assert data_centre.count_connections(alice.phone).open == 1
    data_centre.clear_faults()
    assert await client(GET_STATE)


async def test_deaf_answers_but_pushes_nothing(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """A deaf account gets answers, no updates; the difference has them."""
    client = await client_of(alice)
    heard = await hear(client)
    data_centre.afflict(Kind.DEAF, alice.phone)
    data_centre.message_actions.send(bob, alice, Draft("unheard"))

    state = await client(GET_STATE)
    data_centre.clear_faults()
    data_centre.message_actions.send(bob, alice, Draft("heard"))

    assert state.pts == 2
    await eventually(lambda: len(heard) == 2, awaited="the gap to be filled")
    assert set(texts(heard)) == {"unheard", "heard"}


async def test_slow_delays_every_answer(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """Answers are held back for the given time."""
    client, loop = await client_of(alice), asyncio.get_running_loop()
    data_centre.afflict(Kind.SLOW, alice.phone, PATIENCE)
    start = loop.time()

    await client(GET_STATE)

    assert loop.time() - start >= PATIENCE


async def test_revoked_key_is_told_401(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """After a revocation every request that needs a login gets 401 on an open line."""
    client = await client_of(alice)

    data_centre.afflict(Kind.REVOKE, alice.phone)

    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(GET_STATE)
    assert client.is_connected()


async def test_duplicated_key_stays_dead(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A burnt key gets 406 even after the faults were cleared."""
    client = await client_of(alice)
    data_centre.afflict(Kind.DUPLICATE, alice.phone)
    data_centre.clear_faults()

    with pytest.raises(errors.AuthKeyDuplicatedError):
        await client(GET_STATE)
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await client_of(session=client.session.save())


async def test_ban_ends_with_the_faults(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A banned account is told so everywhere, is itself again afterwards."""
    client, stranger = await client_of(alice), await client_of()
    data_centre.afflict(Kind.BAN, alice.phone)

    with pytest.raises(errors.UserDeactivatedBanError):
        await client(GET_STATE)
    with pytest.raises(errors.PhoneNumberBannedError):
        await stranger.send_code_request(alice.phone)

    data_centre.clear_faults()
    assert await client(GET_STATE)


async def test_reset_forgets_everything(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """After a reset no account, key or fault is left; the port still serves."""
    client = await client_of(alice)
    await client.disconnect()
    data_centre.afflict(Kind.BLACKHOLE)

    data_centre.reset()

    with pytest.raises(errors.AuthKeyNotFound):
        await client_of(session=client.session.save())
    again = data_centre.add_account(alice.phone, "Alice again")
    assert (await (await client_of(again)).get_me()).first_name == "Alice again"


async def test_a_newer_layer_is_in_all_that_shows_the_message(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """What was written in a newer layer can't be decoded wherever it is shown, its neighbours can."""
    client = await client_of(alice)
    before = alice.log.pts
    data_centre.afflict(Kind.NEWER_LAYER, alice.phone)
    newer = data_centre.message_actions.send(bob, alice, Draft("newer")).message.content
    data_centre.clear_faults()
    data_centre.message_actions.send(bob, alice, Draft("plain"))
    message_id, chat = newer.copies[alice.id], address(alice, bob)

    for request in (
        functions.updates.GetDifferenceRequest(before, datetime.now(UTC), 0),
        functions.updates.GetDifferenceRequest(before, datetime.now(UTC), 0, pts_limit=1),
        functions.messages.GetMessagesRequest([types.InputMessageID(message_id)]),
        functions.messages.GetHistoryRequest(chat, message_id + 1, None, 0, 1, 0, 0, 0),
    ):
        with pytest.raises(errors.TypeNotFoundError):
            await client(request)
    difference = await client(
        functions.updates.GetDifferenceRequest(before + 1, datetime.now(UTC), 0)
    )
    assert [message.message for message in difference.new_messages] == ["plain"]


async def test_a_newer_answer_comes_after_the_method_was_carried_out(
    data_centre: DataCentre, client_of: ClientOf, alice: Account, bob: Account
) -> None:
    """Only the answer can't be decoded, so often as ordered: the message is out."""
    client = await client_of(alice)
    data_centre.answer_newer("messages.sendMessage", phone=alice.phone, times=1)

    with pytest.raises(errors.TypeNotFoundError):
        await client.send_message(address(alice, bob), "one")
    await client.send_message(address(alice, bob), "two")

    assert [message.content.text for message in bob.box] == ["one", "two"]


async def test_a_server_in_trouble_fails_before_it_looks_at_the_key(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """Also a login that has ended gets the 500; other faults of a method it does not get."""
    client = await client_of(alice)
    data_centre.fail("WORKER_BUSY_TOO_LONG_RETRY", method="updates.getState", times=1)
    data_centre.afflict(Kind.REVOKE, alice.phone)

    with pytest.raises(errors.ServerError):
        await client._sender.send(GET_STATE)
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(GET_STATE)
