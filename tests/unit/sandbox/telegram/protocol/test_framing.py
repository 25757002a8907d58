"""The transports cut any stream of bytes into packets, or refuse it."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from sandbox.telegram.protocol.framing import (
    MAX_FRAME,
    Abridged,
    Deframer,
    FramingError,
    Full,
    Intermediate,
    Padded,
    Transport,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OPENINGS: dict[Callable[[], Transport], bytes] = {
    Full: b"",
    Abridged: b"\xef",
    Intermediate: b"\xee" * 4,
    Padded: b"\xdd" * 4,
}
# Plain messages, which have no key id.
packets = st.lists(
    st.integers(1, 200)
    .flatmap(lambda words: st.binary(min_size=words * 4, max_size=words * 4))
    .map(lambda message: bytes(8) + message),
    max_size=6,
)


def fed(deframer: Deframer, stream: bytes, size: int) -> list[bytes]:
    chunks = (stream[start : start + size] for start in range(0, len(stream), size))
    return [packet for chunk in chunks for packet in deframer.feed(chunk)]


@pytest.mark.parametrize("transport", list(OPENINGS))
@given(sent=packets, size=st.integers(1, 97))
def test_packets_come_out_however_they_are_torn(
    transport: Callable[[], Transport], sent: list[bytes], size: int
) -> None:
    """What one side frames the other gets back, in pieces of any size."""
    framer = transport()
    stream = OPENINGS[transport] + b"".join(map(framer.frame, sent))

    assert fed(Deframer(), stream, size) == sent


@given(sent=packets, size=st.integers(1, 97))
def test_obfuscated_packets_come_out(sent: list[bytes], size: int) -> None:
    """The obfuscated transport is the abridged one under two AES-CTR streams."""
    header = b"\x01" * 8 + os.urandom(48) + b"\xef" * 4 + b"\x00" * 4
    cover = Cipher(algorithms.AES(header[8:40]), modes.CTR(header[40:56])).encryptor().update
    covered = cover(header)
    stream = header[:56] + covered[56:] + cover(b"".join(map(Abridged().frame, sent)))
    deframer = Deframer()

    received = fed(deframer, stream, size)
    answer = deframer.frame(b"pong")

    back = header[55:7:-1]
    uncover = Cipher(algorithms.AES(back[:32]), modes.CTR(back[32:48])).decryptor().update
    assert received == sent
    assert uncover(answer) == Abridged().frame(b"pong")


@given(stream=st.binary(max_size=600), size=st.integers(1, 97))
def test_garbage_is_refused_in_one_way(stream: bytes, size: int) -> None:
    """Whatever comes in, nothing but FramingError comes out."""
    try:
        received = fed(Deframer(), stream, size)
    except FramingError:
        return

    assert all(len(packet) % 4 == 0 or len(packet) >= 4 for packet in received)


@pytest.mark.parametrize(
    "stream",
    [
        struct.pack("<ii", MAX_FRAME + 13, 0),
        struct.pack("<ii", -1, 0),
        b"\xee" * 4 + struct.pack("<i", MAX_FRAME + 1),
        b"\xef\x7f\xff\xff\xff",
        b"\xef\xff\x00\x00\x00",
        b"\xef\x00\x00\x00\x00",
    ],
)
def test_impossible_length_is_refused_at_once(stream: bytes) -> None:
    """A frame longer than the limit, or of no length, is not waited for."""
    with pytest.raises(FramingError):
        fed(Deframer(), stream, 64)


@given(noise=st.binary(max_size=15), blocks=st.integers(1, 9))
def test_noise_behind_an_encrypted_packet_is_cut_off(noise: bytes, blocks: int) -> None:
    """Up to fifteen bytes may follow, which are more than a word but less than a block."""
    packet = b"key id 8" + bytes(16 * (blocks + 1))
    stream = OPENINGS[Padded] + struct.pack("<i", len(packet + noise)) + packet + noise

    assert fed(Deframer(), stream, 64) == [packet]


def test_checksum_and_order_are_checked() -> None:
    """The full transport refuses a changed or repeated frame."""
    framed = Full().frame(bytes(8))

    with pytest.raises(FramingError):
        fed(Deframer(), framed[:-1] + b"\xff", 64)
    with pytest.raises(FramingError):
        fed(Deframer(), framed + framed, 64)
