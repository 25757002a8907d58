"""Sealing: what comes back, what is rejected."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.encryption.vault import Cell, DataKey, Vault, parse_secret_key
from supervisor.errors import SealBroken, SecretKeyMalformed, SecretKeyWrong

CELL = Cell("session", "79001234567", "auth_key")
keys = st.binary(min_size=32, max_size=32)
cells = st.builds(Cell, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))


def as_text(*made: bytes) -> str:
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in made)


@given(key=keys, cell=cells, plain=st.binary(max_size=300))
def test_sealed_opens_again(key: bytes, cell: Cell, plain: bytes) -> None:
    """What is sealed for a cell opens at that cell, whatever it is."""
    sealed = DataKey(key).seal(cell, plain)

    assert DataKey(key).open(cell, sealed) == plain


def test_same_secret_is_never_sealed_alike() -> None:
    """Equal secrets do not show in the database."""
    key = DataKey(os.urandom(32))

    assert key.seal(CELL, b"same") != key.seal(CELL, b"same")


@given(plain=st.binary(min_size=1, max_size=40), bit=st.integers(0, 7))
def test_any_flipped_bit_is_rejected(plain: bytes, bit: int) -> None:
    """Not one byte of a sealed secret may change."""
    key = DataKey(bytes(32))
    sealed = key.seal(CELL, plain)

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << bit
        with pytest.raises(SealBroken):
            key.open(CELL, bytes(changed))


@given(length=st.integers(0, 60))
def test_cut_off_secret_is_rejected(length: int) -> None:
    """A secret that lost its end, or all of it, does not open."""
    key = DataKey(bytes(32))
    sealed = key.seal(CELL, b"x" * 40)

    with pytest.raises(SealBroken):
        key.open(CELL, sealed[:length])


@given(one=cells, other=cells)
def test_moved_secret_is_rejected(one: Cell, other: Cell) -> None:
    """A secret opens at no other cell, however its table, row or column are named."""
    key = DataKey(bytes(32))
    sealed = key.seal(one, b"secret")

    if one == other:
        assert key.open(other, sealed) == b"secret"
    else:
        with pytest.raises(SealBroken):
            key.open(other, sealed)


@given(place=st.integers(0, 67))
def test_any_flipped_byte_of_a_data_key_is_rejected(place: int) -> None:
    """A wrapped data key that was changed is not used."""
    vault = Vault([bytes(32)])
    wrapped = bytearray(vault.new_data_key("79001234567"))
    assert len(wrapped) == 68

    wrapped[place] ^= 1

    with pytest.raises((SealBroken, SecretKeyWrong)):
        vault.open_data_key("79001234567", bytes(wrapped))


def test_data_key_belongs_to_its_number() -> None:
    """One number's data key does not open in another number's row."""
    vault = Vault([os.urandom(32)])

    with pytest.raises(SealBroken):
        vault.open_data_key("2", vault.new_data_key("1"))


def test_first_key_wraps_all_unwrap() -> None:
    """After a new key is put in front, old data keys still open, new ones need it."""
    old, new = os.urandom(32), os.urandom(32)
    wrapped = Vault([old]).new_data_key("1")
    sealed = Vault([old]).open_data_key("1", wrapped).seal(CELL, b"secret")
    both = Vault.from_secret_key(as_text(new, old))

    renewed = both.rewrap_data_key("1", wrapped)

    assert both.open_data_key("1", wrapped).open(CELL, sealed) == b"secret"
    assert Vault([new]).open_data_key("1", renewed).open(CELL, sealed) == b"secret"
    assert (both.is_current(wrapped), both.is_current(renewed)) == (False, True)
    with pytest.raises(SecretKeyWrong):
        Vault([old]).open_data_key("1", renewed)


def test_key_check_tells_our_key_from_others() -> None:
    """The proof that one key left is accepted by it alone."""
    key = os.urandom(32)
    proof = Vault([key]).key_check()

    Vault([os.urandom(32), key]).require_key_of(proof)
    with pytest.raises(SecretKeyWrong, match="Nothing was changed"):
        Vault([os.urandom(32)]).require_key_of(proof)


@given(made=st.lists(keys, min_size=1, max_size=4))
def test_secret_key_is_read_in_order(made: list[bytes]) -> None:
    """Blanks, missing padding or plain base64 do not stand in the way."""
    text = as_text(*made)

    assert parse_secret_key(text) == made
    assert parse_secret_key(text.replace(",", " , ").replace("=", "")) == made
    assert parse_secret_key(text.replace("-", "+").replace("_", "/")) == made


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "short", "a" * 43 + "!", "ключ" * 11),
        *(as_text(bytes(31)), as_text(bytes(33)), as_text(bytes(32)) + ","),
    ],
)
def test_malformed_secret_key_is_explained(text: str) -> None:
    """The words say what a key looks like, never what was given."""
    with pytest.raises(ValueError, match=r"SECRET_KEY must be 32 random bytes") as caught:
        parse_secret_key(text)

    assert isinstance(caught.value, SecretKeyMalformed)
    assert not text.strip(",") or text not in str(caught.value)


def test_vault_shows_no_key() -> None:
    """Printing a vault, or a data key, shows nothing secret."""
    key = os.urandom(32)

    shown = repr(Vault([key])) + repr(vars(Vault([key]))) + repr(vars(DataKey(key)))

    assert repr(key)[2:-1] not in shown
