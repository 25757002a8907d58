"""Bytes that were good once."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

Mutation = Callable[[bytes], bytes]

_LARGEST = (1 << 16) - 1
_place = st.integers(0, _LARGEST)


def _flip(place: int, bit: int) -> Mutation:
    def flip(data: bytes) -> bytes:
        at = place % max(len(data), 1)
        return data[:at] + bytes(byte ^ 1 << bit for byte in data[at : at + 1]) + data[at + 1 :]

    return flip


def _cut(place: int, length: int) -> Mutation:
    def cut(data: bytes) -> bytes:
        at = place % max(len(data), 1)
        return data[:at] + data[at + length :]

    return cut


def _overwrite(place: int, patch: bytes) -> Mutation:
    def overwrite(data: bytes) -> bytes:
        at = place % max(len(data), 1)
        return data[:at] + patch + data[at + len(patch) :]

    return overwrite


def _insert(place: int, patch: bytes) -> Mutation:
    def insert(data: bytes) -> bytes:
        at = place % (len(data) + 1)
        return data[:at] + patch + data[at:]

    return insert


_patch = st.one_of(
    st.binary(min_size=1, max_size=24),
    st.sampled_from([b"\xff" * 4, b"\x00" * 4, b"\x00\x00\x00\x80", b"\xff\xff\xff\x7f", b"\xfe"]),
)
mutations = st.one_of(
    st.builds(_flip, _place, st.integers(0, 7)),
    st.builds(_cut, _place, st.integers(1, 64) | st.just(_LARGEST)),
    st.builds(_overwrite, _place, _patch),
    st.builds(_insert, _place, _patch),
)


def spoil(data: bytes, chain: list[Mutation]) -> bytes:
    """Apply mutations one after the other."""
    for mutate in chain:
        data = mutate(data)
    return data
