"""The protocol beneath the methods, with a client that breaks its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, RpcResult

from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.faults import Kind
from sandbox.telegram.protocol.encryption import PacketContent, seal
from tests.acceptance.sandbox.telegram.client_events import address
from tests.acceptance.sandbox.telegram.raw_client import container
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw

GET_STATE = functions.updates.GetStateRequest()
HOUR = 3600


def kinds(received: list[tuple[int, Any]]) -> list[type]:
    return [type(message) for _, message in received]


async def test_session_opens_with_its_announcement(connect_raw: ConnectRaw, alice: Account) -> None:
    """New_session_created comes first, in one packet with the answer, under rising odd ids."""
    raw = await connect_raw(alice)

    await raw.answer_to(raw.send(GET_STATE))

    assert kinds(raw.received) == [types.NewSessionCreated, RpcResult]
    ids = [message_id for message_id, _ in raw.received]
    assert ids == sorted(ids)
    assert all(message_id % 2 for message_id in ids)


async def test_wrong_salt_is_corrected(connect_raw: ConnectRaw, alice: Account) -> None:
    """A message under a wrong salt is not carried out; the right salt is told."""
    raw = await connect_raw(alice)

    refused = raw.send(GET_STATE, salt=1)
    told = await raw.until(types.BadServerSalt)
    answer = await raw.answer_to(raw.send(GET_STATE, salt=told.new_server_salt))

    assert (told.bad_msg_id, told.error_code) == (refused, 48)
    assert answer.error is None


async def test_telethon_follows_a_new_salt(
    data_centre: DataCentre, client_of: ClientOf, alice: Account
) -> None:
    """A client goes on after its salt has become wrong."""
    client = await client_of(alice)
    for key in data_centre.keys.of_account(alice):
        key.renew_salt()

    assert (await client.get_me()).id == alice.id


@pytest.mark.parametrize(("offset", "code"), [(-HOUR, 16), (HOUR, 17)])
async def test_wrong_clock_is_told(
    connect_raw: ConnectRaw, alice: Account, offset: float, code: int
) -> None:
    """Messages from the past or the future are refused with the reason."""
    raw = await connect_raw(alice)

    raw.send(GET_STATE, message_id=raw.next_id(offset))

    assert (await raw.until(types.BadMsgNotification)).error_code == code


async def test_odd_message_id_is_told(connect_raw: ConnectRaw, alice: Account) -> None:
    """Ids of clients are divisible by four."""
    raw = await connect_raw(alice)

    raw.send(GET_STATE, message_id=raw.next_id() + 1)

    assert (await raw.until(types.BadMsgNotification)).error_code == 18


async def test_replayed_packet_is_not_carried_out_twice(
    connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """The same packet again sends nothing again."""
    raw = await connect_raw(alice)
    request = functions.messages.SendMessageRequest(address(alice, bob), "once", random_id=1)
    message_id = raw.send(request)
    await raw.answer_to(message_id)
    alice.box._by_random_id.clear()

    raw.send(request, message_id=message_id)
    await raw.answer_to(raw.send(GET_STATE))

    assert [m.content.text for m in bob.box] == ["once"]


async def test_container_is_carried_out_in_order(
    connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """Requests in a container are carried out one after the other, answered together."""
    raw = await connect_raw(alice)
    requests = [
        functions.messages.SendMessageRequest(address(alice, bob), str(n), random_id=n)
        for n in range(5)
    ]

    parts = [(raw.next_id(), bytes(request)) for request in requests]
    raw.send_body(container(*parts))
    await raw.answer_to(parts[-1][0])

    assert [m.content.text for m in bob.box] == ["0", "1", "2", "3", "4"]


async def test_broken_container_is_told(connect_raw: ConnectRaw, alice: Account) -> None:
    """A container that is cut short gets code 64; the line stays."""
    raw = await connect_raw(alice)

    raw.send_body(container((raw.next_id(), bytes(GET_STATE)))[:-4])

    assert (await raw.until(types.BadMsgNotification)).error_code == 64
    assert (await raw.answer_to(raw.send(GET_STATE))).error is None


async def test_compressed_request_is_read(connect_raw: ConnectRaw, alice: Account) -> None:
    """A gzipped request is a request."""
    raw = await connect_raw(alice)

    answer = await raw.answer_to(raw.send(GzipPacked(bytes(GET_STATE))))

    assert answer.error is None


async def test_bomb_is_not_inflated(connect_raw: ConnectRaw, alice: Account) -> None:
    """What inflates beyond the limit is refused, even inside another object."""
    raw = await connect_raw(alice)
    bomb = bytes(GzipPacked(bytes(64 << 20)))

    plain = await raw.answer_to(raw.send_body(bomb))
    nested = functions.InvokeWithoutUpdatesRequest(GET_STATE)._bytes()[:4] + bomb
    inside = await raw.answer_to(raw.send_body(nested))

    assert plain.error.error_message == inside.error.error_message == "INPUT_FETCH_ERROR"


async def test_unknown_constructor_is_answered(connect_raw: ConnectRaw, alice: Account) -> None:
    """A constructor of another layer gets an RPC error naming it."""
    raw = await connect_raw(alice)

    answer = await raw.answer_to(raw.send_body(b"\x78\x56\x34\x12" + bytes(8)))

    assert answer.error.error_message == f"INPUT_METHOD_INVALID_{0x12345678}"


async def test_method_without_handler_is_answered(connect_raw: ConnectRaw, alice: Account) -> None:
    """A known method that nobody wrote gets an RPC error."""
    raw = await connect_raw(alice)

    answer = await raw.answer_to(raw.send(functions.payments.GetStarsTopupOptionsRequest()))

    assert answer.error.error_message.startswith("METHOD_INVALID_PAYMENTS")


async def test_object_of_a_wrong_type_is_answered(
    connect_raw: ConnectRaw, alice: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """A request whose peer is no peer gets an RPC error, no traceback."""
    raw = await connect_raw(alice)

    no_peer = functions.messages.SetTypingRequest(GET_STATE, types.SendMessageTypingAction())
    answer = await raw.answer_to(raw.send(no_peer))

    assert answer.error.error_message == "INPUT_CONSTRUCTOR_INVALID"
    assert not caplog.records


async def test_unknown_key_is_told(data_centre: DataCentre, connect_raw: ConnectRaw) -> None:
    """A key nobody knows gets -404, then the line is closed."""
    raw = await connect_raw()
    data_centre.keys.forget(raw.key)

    raw.send(GET_STATE)

    assert await raw.is_hung_up_on()


async def test_forged_packet_closes_the_line(connect_raw: ConnectRaw, alice: Account) -> None:
    """A packet that was not sealed under its key ends the connection."""
    raw = await connect_raw(alice)
    packet = seal(
        raw.key.auth, PacketContent(0, 1, raw.next_id(), 1, bytes(GET_STATE)), from_client=True
    )

    raw.send_packet(packet[:-1] + bytes([packet[-1] ^ 1]))

    assert await raw.is_hung_up_on()


async def test_pings_are_answered_until_the_deadline(
    connect_raw: ConnectRaw, alice: Account
) -> None:
    """Ping_delay_disconnect answers, then hangs up unless repeated in time."""
    raw = await connect_raw(alice)

    raw.send(functions.PingDelayDisconnectRequest(1, 60))
    raw.send(functions.PingDelayDisconnectRequest(2, 0))

    assert (await raw.until(types.Pong)).ping_id == 1
    assert await raw.is_hung_up_on()


async def test_states_of_messages_are_told(connect_raw: ConnectRaw, alice: Account) -> None:
    """Msgs_state_req tells which messages arrived."""
    raw = await connect_raw(alice)
    known = raw.send(GET_STATE)

    raw.send(types.MsgsStateReq([known, known + 4]))

    assert [ord(c) for c in (await raw.until(types.MsgsStateInfo)).info] == [4, 2]


async def test_future_salts_hold(connect_raw: ConnectRaw, alice: Account) -> None:
    """The first of the future salts is good now."""
    raw = await connect_raw(alice)

    request = raw.send(functions.GetFutureSaltsRequest(3))
    told = await raw.answer_to(request)

    assert len(told.salts) == 3
    answer = await raw.answer_to(raw.send(GET_STATE, salt=told.salts[0].salt))
    assert answer.error is None


async def test_other_session_can_be_destroyed(connect_raw: ConnectRaw, alice: Account) -> None:
    """Destroying a session forgets it; an unknown one is told to be none."""
    raw = await connect_raw(alice)
    raw.key.session(77)

    raw.send(functions.DestroySessionRequest(77))
    raw.send(functions.DestroySessionRequest(78))

    assert (await raw.until(types.DestroySessionOk)).session_id == 77
    assert (await raw.until(types.DestroySessionNone)).session_id == 78


async def test_same_session_gets_unacknowledged_updates_again(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """A session that comes back gets, under the old ids, what it never acknowledged."""
    raw = await connect_raw(alice)
    await raw.answer_to(raw.send(GET_STATE))
    for text in ("acknowledged", "not acknowledged"):
        data_centre.message_actions.send(bob, alice, Draft(text))
    await raw.answer_to(raw.send(GET_STATE))
    first, second = [i for i, m in raw.received if isinstance(m, types.Updates)]
    raw.send(types.MsgsAck([first]))
    await raw.answer_to(raw.send(GET_STATE))
    data_centre.cut(alice.phone)

    again = await connect_raw(like=raw)
    again.send(GET_STATE)

    await again.until(types.Updates)
    assert [i for i, m in again.received if isinstance(m, types.Updates)] == [second]


async def test_new_session_inherits_updates_of_a_lost_one(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """After a broken line a new session of the key gets what was pushed in vain."""
    raw = await connect_raw(alice)
    await raw.answer_to(raw.send(GET_STATE))
    data_centre.message_actions.send(bob, alice, Draft("in vain"))
    data_centre.cut(alice.phone)

    heir = await connect_raw(like=raw)
    heir.session_id += 1
    heir.send(GET_STATE)

    assert (await heir.until(types.Updates)).updates[0].message.message == "in vain"


async def test_client_that_hung_up_gets_nothing_again(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account, bob: Account
) -> None:
    """After a proper end a new session starts with nothing; it asks for the difference."""
    raw = await connect_raw(alice)
    await raw.answer_to(raw.send(GET_STATE))
    data_centre.message_actions.send(bob, alice, Draft("pushed"))
    await raw.until(types.Updates)
    raw.hang_up()
    await eventually(lambda: not data_centre.count_connections(alice.phone).open, awaited="the end")

    heir = await connect_raw(like=raw)
    heir.session_id += 1
    await heir.answer_to(heir.send(GET_STATE))
    await heir.answer_to(heir.send(GET_STATE))

    assert types.Updates not in kinds(heir.received)


async def test_waiting_requests_are_acknowledged(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account
) -> None:
    """A request whose answer takes time is acknowledged at once."""
    raw = await connect_raw(alice)
    data_centre.afflict(Kind.SLOW, alice.phone, 60)

    request = raw.send(GET_STATE)

    assert request in (await raw.until(types.MsgsAck)).msg_ids


async def test_two_connections_burn_the_key(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account
) -> None:
    """A key that sends on two open connections is refused on both, for good."""
    first = await connect_raw(alice)
    await first.answer_to(first.send(GET_STATE))
    second = await connect_raw(like=first)
    second.session_id += 1

    answers = [await raw.answer_to(raw.send(GET_STATE)) for raw in (second, first)]

    assert {a.error.error_message for a in answers} == {"AUTH_KEY_DUPLICATED"}
    assert {a.error.error_code for a in answers} == {406}
    assert data_centre.count_connections(alice.phone).peak_per_key == 2


async def test_close_then_open_never_burns_the_key(
    data_centre: DataCentre, connect_raw: ConnectRaw, alice: Account
) -> None:
    """A client that hangs up before it connects again is one owner, however fast it is."""
    raw = await connect_raw(alice)
    for _ in range(50):
        raw.send(GET_STATE)
        raw.hang_up()
        raw = await connect_raw(like=raw)
        raw.session_id += 1
        answer = await raw.answer_to(raw.send(GET_STATE))
        assert answer.error is None

    assert data_centre.count_connections(alice.phone).peak_per_key == 1
