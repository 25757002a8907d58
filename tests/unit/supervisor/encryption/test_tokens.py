"""The tokens of numbers."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from supervisor.encryption.vault import hash_token, is_token, new_token


def test_token_can_not_be_guessed() -> None:
    """A token holds 32 random bytes in characters that fit a header or an address."""
    made = {new_token() for _ in range(100)}

    assert len(made) == 100
    assert all(len(base64.urlsafe_b64decode(token + "=")) == 32 for token in made)


def test_token_fits_its_hash_only() -> None:
    """The hash knows its token, no other."""
    token = new_token()

    assert is_token(token, hash_token(token))
    assert not is_token(new_token(), hash_token(token))
    assert token.encode() not in hash_token(token)


@given(given_token=st.text())
def test_nobody_has_a_token(given_token: str) -> None:
    """Where there is no hash no token fits, whatever characters it is made of."""
    assert not is_token(given_token, None)
    assert not is_token(given_token, bytes(32))
    assert not is_token(given_token + "\udce4", None)
