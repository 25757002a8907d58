"""Messages are sealed as MTProto 2.0 wants it, opened only when nothing is off."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AuthKey

from sandbox.telegram.protocol.encryption import (
    PacketBroken,
    PacketContent,
    key_id_of,
    seal,
    unseal,
)

KEY = AuthKey(b"\x01" + os.urandom(255))
longs = st.integers(-(2**63), 2**63 - 1)
contents = st.builds(
    PacketContent,
    longs,
    longs,
    longs,
    st.integers(0, 2**31 - 1),
    st.binary(min_size=4, max_size=500),
)


@given(contents)
def test_what_is_sealed_can_be_opened(inner: PacketContent) -> None:
    """Each direction opens what the other sealed."""
    for from_client in (True, False):
        packet = seal(KEY, inner, from_client=from_client)

        assert key_id_of(packet) == KEY.key_id
        assert unseal(KEY, packet, from_client=from_client) == inner


@given(contents, st.data())
def test_any_changed_bit_is_noticed(inner: PacketContent, data: st.DataObject) -> None:
    """A packet that was touched anywhere behind its key id is refused."""
    packet = bytearray(seal(KEY, inner, from_client=True))
    packet[data.draw(st.integers(8, len(packet) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(PacketBroken):
        unseal(KEY, bytes(packet))


@given(st.binary(max_size=300))
def test_garbage_is_refused(packet: bytes) -> None:
    """Bytes that nobody sealed are refused."""
    with pytest.raises(PacketBroken):
        unseal(KEY, packet)


def test_own_packets_are_not_the_clients() -> None:
    """A packet of the server sent back to it is refused."""
    with pytest.raises(PacketBroken):
        unseal(KEY, seal(KEY, PacketContent(1, 2, 3, 4, b"body")))
