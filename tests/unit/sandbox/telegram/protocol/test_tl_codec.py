"""TL objects are read within bounds, written as clients expect."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.core import GzipPacked, MessageContainer

from sandbox.telegram.protocol.tl_codec import (
    MAX_DEPTH,
    Allowance,
    Incoming,
    LongVector,
    MalformedBody,
    UnknownConstructor,
    compress,
    read_object,
    serialise,
    unpack,
)

GET_STATE = functions.updates.GetStateRequest()
CONTAINER = struct.pack("<I", MessageContainer.CONSTRUCTOR_ID)


@given(st.binary(max_size=400))
def test_garbage_is_malformed(body: bytes) -> None:
    """Whatever is read, nothing but MalformedBody comes of it."""
    try:
        read_object(body)
    except MalformedBody:
        return


@given(st.sampled_from(["SendMessage", "Search", "SendMedia"]), st.binary(max_size=200))
def test_garbage_after_a_good_start_is_malformed(name: str, rest: bytes) -> None:
    """A known constructor with nonsense behind it is malformed too."""
    request = getattr(functions.messages, f"{name}Request")
    try:
        read_object(struct.pack("<I", request.CONSTRUCTOR_ID) + rest)
    except MalformedBody:
        return


@given(st.binary(max_size=300))
def test_broken_container_is_malformed(rest: bytes) -> None:
    """A container is whole, or malformed."""
    try:
        parts = unpack(Incoming(4, 0, CONTAINER + rest))
    except MalformedBody:
        return

    assert sum(16 + len(part.body) for part in parts) <= len(rest)


def test_unknown_constructor_is_named() -> None:
    """The layer does not know every number."""
    with pytest.raises(UnknownConstructor) as caught:
        read_object(b"\x78\x56\x34\x12")

    assert caught.value.constructor == 0x12345678


def test_nesting_has_an_end() -> None:
    """Wrappers in wrappers are refused before the stack ends."""
    wrapper = bytes(functions.InvokeWithoutUpdatesRequest(GET_STATE))[:4]

    assert read_object(wrapper * (MAX_DEPTH - 1) + bytes(GET_STATE))
    with pytest.raises(MalformedBody):
        read_object(wrapper * 100_000 + bytes(GET_STATE))


def test_containers_hold_no_containers() -> None:
    """A container inside anything is refused."""
    with pytest.raises(MalformedBody):
        read_object(CONTAINER + bytes(4))


def test_allowance_is_shared_by_all_parts() -> None:
    """Many small bombs are one bomb."""
    allowance = Allowance(1000)
    packed = bytes(GzipPacked(bytes(types.MsgsAck(list(range(50))))))
    read_object(packed, allowance)
    read_object(packed, allowance)

    with pytest.raises(MalformedBody):
        read_object(packed, allowance)


@pytest.mark.parametrize("value", [True, False, [types.PeerUser(1), types.PeerUser(2)], []])
def test_results_can_be_read_back(value: object) -> None:
    """Truth values and vectors are written the way clients read them."""
    assert BinaryReader(serialise(value)).tgread_object() == value


def test_vectors_of_numbers_have_two_widths() -> None:
    """Vector<int> and Vector<long> differ in the width of their numbers."""
    assert serialise([1, 2])[8:] == struct.pack("<ii", 1, 2)
    assert serialise(LongVector([1, 2]))[8:] == struct.pack("<qq", 1, 2)


def test_only_what_gains_is_compressed() -> None:
    """Short or random bodies stay as they are."""
    long = bytes(10_000)

    assert compress(b"short") == b"short"
    assert len(compress(long)) < 100
