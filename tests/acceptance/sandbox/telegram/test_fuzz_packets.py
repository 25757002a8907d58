"""Bad packets close their connection or are answered; everybody else is served."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.crypto import AES
from telethon.tl import functions

from sandbox.telegram.protocol import encryption
from sandbox.telegram.protocol.encryption import PacketContent, seal
from sandbox.telegram.protocol.framing import Abridged, Full, Intermediate, Padded
from sandbox.telegram.protocol.key_exchange import PLAIN_HEADER
from tests.acceptance.sandbox.telegram.client_events import address
from tests.acceptance.sandbox.telegram.outcome import (
    GET_STATE,
    Bystander,
    was_closed,
)
from tests.support.mutations import Mutation, mutations, spoil
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.data_centre import DataCentre
    from sandbox.telegram.protocol.framing import Transport
    from tests.acceptance.sandbox.telegram.conftest import ConnectRaw
    from tests.acceptance.sandbox.telegram.raw_client import RawClient

OPENINGS = [(Full, b""), (Abridged, b"\xef"), (Intermediate, b"\xee" * 4), (Padded, b"\xdd" * 4)]
LONGS = st.integers(-(2**63), 2**63 - 1)
many = settings(max_examples=100)


def sealed(raw: RawClient, body: bytes) -> bytes:
    inner = PacketContent(raw.key.salt(time.time()), raw.session_id, raw.next_id(), 1, body)
    return seal(raw.key.auth, inner, from_client=True)


def number(value: int) -> bytes:
    return struct.pack("<i", value)


async def send_in_pieces(centre: DataCentre, stream: bytes, length: int) -> None:
    """Send bytes bit by bit, hang up, wait until the server does."""
    reader, writer = await asyncio.open_connection(centre.host, centre.port)
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(OSError):
            for start in range(0, len(stream), length):
                writer.write(stream[start : start + length])
                await writer.drain()
            writer.write_eof()
            await reader.read()
    writer.close()


def seal_as_it_is(auth_key: Any, plain: bytes) -> bytes:
    """Encrypt whole blocks, whatever they say of themselves."""
    message_key = encryption._message_key(auth_key.key, plain, from_client=True)
    cipher = encryption._cipher(auth_key.key, message_key, from_client=True)
    encrypted: bytes = AES.encrypt_ige(plain, *cipher)
    return struct.pack("<Q", auth_key.key_id) + message_key + encrypted


@many
@given(chain=st.lists(mutations, min_size=1, max_size=3))
async def test_spoilt_packet(
    connect_raw: ConnectRaw,
    alice: Account,
    bystander: Bystander,
    chain: list[Mutation],
) -> None:
    """A packet that changed on its way ends the connection, whatever changed in it."""
    raw = await connect_raw(alice)
    good = sealed(raw, bytes(GET_STATE))

    bad = spoil(good, chain)
    raw.send_packet(bad + bytes(-len(bad) % 4))

    assert await was_closed(raw) or bad == good
    assert await bystander.complaints() == []


@many
@given(
    head=st.tuples(LONGS, LONGS, LONGS, st.integers(-(2**31), 2**31 - 1)),
    length=st.integers(-(2**31), 2**31 - 1) | st.integers(0, 64),
    blocks=st.integers(2, 80),
)
async def test_packet_that_lies_about_itself(
    connect_raw: ConnectRaw,
    alice: Account,
    bystander: Bystander,
    head: tuple[int, int, int, int],
    length: int,
    blocks: int,
) -> None:
    """Wrong salts, ids, lengths, padding under a good key are told or end the connection."""
    raw = await connect_raw(alice)
    plain = struct.pack("<qqqii", *head, length).ljust(blocks * 16, b"\x15")

    raw.send_packet(seal_as_it_is(raw.key.auth, plain))

    padding = len(plain) - 32 - length
    assert await was_closed(raw) == (length < 4 or not 12 <= padding <= 1024)
    assert await bystander.complaints() == []


@many
@given(order=st.lists(st.integers(0, 3), max_size=12), elsewhere=st.booleans())
async def test_replayed_packets(
    connect_raw: ConnectRaw, alice: Account, bob: Account, order: list[int], *, elsewhere: bool
) -> None:
    """Packets that come again, in any order, over either connection, have no second effect."""
    raw, before = await connect_raw(alice), len(bob.box)
    again = await connect_raw(like=raw) if elsewhere else raw
    requests = [
        functions.messages.SendMessageRequest(address(alice, bob), "hi", random_id=place)
        for place in range(4)
    ]
    packets = [sealed(raw, bytes(request)) for request in requests]
    for packet in packets:
        raw.send_packet(packet)
    assert not await was_closed(raw)
    alice.box._by_random_id.clear()

    for place in order:
        again.send_packet(packets[place])

    assert not await was_closed(again)
    assert len(bob.box) == before + len(packets)


@many
@given(
    transport=st.sampled_from(OPENINGS),
    whole=st.integers(0, 3),
    half=st.binary(max_size=100) | st.integers(-(2**31), 2**31 - 1).map(number),
    piece=st.integers(1, 64),
)
async def test_half_a_frame(
    data_centre: DataCentre,
    bystander: Bystander,
    transport: tuple[Callable[[], Transport], bytes],
    whole: int,
    half: bytes,
    piece: int,
) -> None:
    """Whole frames in small pieces, then one that is none: the server hangs up, no more."""
    framing, opening = transport
    framer, body = framing(), bytes(functions.ReqPqMultiRequest(7))
    plain = PLAIN_HEADER.pack(0, 4, len(body)) + body
    stream = opening + b"".join(framer.frame(plain) for _ in range(whole)) + half

    await send_in_pieces(data_centre, stream, piece)

    assert await bystander.complaints() == []
