"""Bad requests in good packets are answered; the process, its other clients go on."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.tl import functions, types
from telethon.tl.alltlobjects import tlobjects
from telethon.tl.core import GzipPacked, MessageContainer

from sandbox.telegram.accounts.viewer import Viewer
from sandbox.telegram.chats.message_actions import Draft
from sandbox.telegram.rpc import METHODS
from tests.acceptance.sandbox.telegram.arbitrary import Arbitrary
from tests.acceptance.sandbox.telegram.client_events import (
    address,
    input_channel,
    input_peer_channel,
)
from tests.acceptance.sandbox.telegram.outcome import (
    GET_STATE,
    Bystander,
    was_closed,
)
from tests.acceptance.sandbox.telegram.raw_client import RawClient, container
from tests.support.mutations import Mutation, mutations, spoil

if TYPE_CHECKING:
    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from tests.acceptance.sandbox.telegram.conftest import ClientOf, ConnectRaw

ArbitraryFrom = Callable[[int], Arbitrary]
AT_ONCE = 25  # requests in a packet
HANDLED = sorted(METHODS, key=lambda cls: cls.__module__ + cls.__name__)
REQUESTS = [cls for cls in tlobjects.values() if cls.__name__.endswith("Request")]
BOMBS = [bytes(GzipPacked(bytes(size))) for size in (1 << 10, 1 << 16, 9 << 20)]
WRAPPERS = [
    struct.pack("<I", functions.InvokeWithoutUpdatesRequest.CONSTRUCTOR_ID),
    struct.pack("<Ii", functions.InvokeWithLayerRequest.CONSTRUCTOR_ID, 1),
    struct.pack("<Iq", functions.InvokeAfterMsgRequest.CONSTRUCTOR_ID, 4),
]
many = settings(max_examples=100)


def contained(bodies: list[bytes]) -> bytes:
    return container(*((4 * place, body) for place, body in enumerate(bodies, 1)))


seeds = st.integers(0, 2**32 - 1)
leaves = st.one_of(
    st.binary(max_size=64),
    st.just(bytes(GET_STATE)),
    st.sampled_from(REQUESTS).map(lambda cls: struct.pack("<I", cls.CONSTRUCTOR_ID)),
    st.sampled_from(BOMBS),
    st.builds(
        lambda count, rest: struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, count) + rest,
        st.sampled_from([-1, 0, 1, 2**31 - 1]),
        st.binary(max_size=40),
    ),
)
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda body: bytes(GzipPacked(body))),
        st.tuples(st.sampled_from(WRAPPERS), st.sampled_from([1, 2, 30, 3000]), inner).map(
            lambda parts: parts[0] * parts[1] + parts[2]
        ),
        st.lists(inner, max_size=4).map(contained),
    ),
    max_leaves=8,
)


@pytest.fixture
async def arbitrary_from(data_centre: DataCentre, alice: Account, bob: Account) -> ArbitraryFrom:
    """Make arbitrary requests of Alice to Bob, herself, a group, a channel with messages in it."""
    group, _ = data_centre.groups.create(alice, "Group", [bob])
    channel, _ = data_centre.channels.create(alice, "Crowd", broadcast=False)
    for number in range(3):
        data_centre.message_actions.send(alice, bob, Draft(f"question {number}"))
        data_centre.message_actions.send(bob, alice, Draft(f"answer {number}"))
        data_centre.message_actions.send(bob, group, Draft(f"to the group {number}"))
        data_centre.channels.post(channel, alice, Draft(f"to the channel {number}"))
    peers = (
        address(alice, bob),
        types.InputUser(bob.id, Viewer(alice, alice.sign_ins).access_hash(bob.id)),
        types.InputPeerSelf(),
        types.InputUserSelf(),
        types.InputPeerChat(group.bare_id),
        input_peer_channel(alice, channel),
        input_channel(alice, channel),
    )
    return lambda seed: Arbitrary(seed, peers)


def send_together(raw: RawClient, bodies: list[bytes]) -> None:
    parts = [(raw.next_id(), body) for body in bodies]
    raw.send_body(container(*parts))


@many
@given(seed=seeds)
async def test_arbitrary_requests(
    connect_raw: ConnectRaw,
    alice: Account,
    arbitrary_from: ArbitraryFrom,
    bystander: Bystander,
    seed: int,
) -> None:
    """Handled methods cope with whatever their fields hold, of a right or a wrong type."""
    raw = await connect_raw(alice)
    arbitrary = arbitrary_from(seed)

    send_together(raw, [arbitrary.request(HANDLED) for _ in range(AT_ONCE)])
    await was_closed(raw)

    assert await bystander.complaints() == []


@many
@given(seed=seeds)
async def test_arbitrary_requests_of_a_stranger(
    connect_raw: ConnectRaw, bystander: Bystander, seed: int
) -> None:
    """Before the login, methods without a handler too: each gets its RPC error."""
    raw = await connect_raw()
    arbitrary = Arbitrary(seed)

    send_together(raw, [arbitrary.request(REQUESTS) for _ in range(AT_ONCE)])
    await was_closed(raw)

    assert await bystander.complaints() == []


@many
@given(seed=seeds, chains=st.lists(st.lists(mutations, min_size=1, max_size=3), max_size=AT_ONCE))
async def test_spoilt_requests(
    connect_raw: ConnectRaw,
    alice: Account,
    arbitrary_from: ArbitraryFrom,
    bystander: Bystander,
    seed: int,
    chains: list[list[Mutation]],
) -> None:
    """Requests with bytes changed, lost, added are answered like any other."""
    raw = await connect_raw(alice)
    arbitrary = arbitrary_from(seed)

    send_together(raw, [spoil(arbitrary.request(HANDLED), chain) for chain in chains])
    await was_closed(raw)

    assert await bystander.complaints() == []


@many
@given(body=nested)
async def test_nested_bodies(
    connect_raw: ConnectRaw, alice: Account, bystander: Bystander, body: bytes
) -> None:
    """Bombs, wrappers without end, containers in containers are refused, not opened."""
    raw = await connect_raw(alice)

    raw.send_body(body.ljust(4, b"\0"))
    await was_closed(raw)

    assert await bystander.complaints() == []


async def test_client_lives_beside_the_noise(
    client_of: ClientOf,
    connect_raw: ConnectRaw,
    alice: Account,
    bob: Account,
    arbitrary_from: ArbitraryFrom,
) -> None:
    """An unmodified client goes on while another account sends nonsense."""
    client, raw = await client_of(bob), await connect_raw(alice)

    for seed in range(20):
        arbitrary = arbitrary_from(seed)
        send_together(raw, [arbitrary.request(HANDLED) for _ in range(AT_ONCE)])
        if await was_closed(raw):
            raw = await connect_raw(alice)

        assert (await client.get_me()).id == bob.id
