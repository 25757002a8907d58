"""Messages are sealed as MTProto 2.0 wants it, opened only when nothing is off."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AuthKey

from sandbox.telegram.protocol.encryption import EnvelopeError, Letter, key_id_of, seal, unseal

KEY = AuthKey(b"\x01" + os.urandom(255))
longs = st.integers(-(2**63), 2**63 - 1)
letters = st.builds(
    Letter, longs, longs, longs, st.integers(0, 2**31 - 1), st.binary(min_size=4, max_size=500)
)


@given(letters)
def test_what_is_sealed_can_be_opened(letter: Letter) -> None:
    """Each direction opens what the other sealed."""
    for from_client in (True, False):
        packet = seal(KEY, letter, from_client=from_client)

        assert key_id_of(packet) == KEY.key_id
        assert unseal(KEY, packet, from_client=from_client) == letter


@given(letters, st.data())
def test_any_changed_bit_is_noticed(letter: Letter, data: st.DataObject) -> None:
    """A packet that was touched anywhere behind its key id is refused."""
    packet = bytearray(seal(KEY, letter, from_client=True))
    packet[data.draw(st.integers(8, len(packet) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(EnvelopeError):
        unseal(KEY, bytes(packet))


@given(st.binary(max_size=300))
def test_garbage_is_refused(packet: bytes) -> None:
    """Bytes that nobody sealed are refused."""
    with pytest.raises(EnvelopeError):
        unseal(KEY, packet)


def test_own_packets_are_not_the_clients() -> None:
    """A packet of the server sent back to it is refused."""
    with pytest.raises(EnvelopeError):
        unseal(KEY, seal(KEY, Letter(1, 2, 3, 4, b"body")))
