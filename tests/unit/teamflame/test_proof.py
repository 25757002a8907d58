"""What Telegram hands to a Mini App is believed if it is signed and fresh, as the public vector shows."""

from __future__ import annotations

import pytest

from teamflame.accounts.proof import (
    LAUNCH_LIFETIME,
    TOKEN_LIFETIME,
    Caller,
    ShortTokens,
    known_language,
    verify_launch,
)
from teamflame.errors import ProofInvalid

# The example of the documentation of Telegram's Mini Apps, signed by Telegram itself.
VECTOR_TOKEN = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8"
VECTOR = (
    "query_id=AAHdF6IQAAAAAN0XohDhrOrc&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22"
    "Vladislav%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22"
    "language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%7D&auth_date=1662771648&hash="
    "c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"
)
VECTOR_DATE = 1_662_771_648
KEYS = [b"1" * 32, b"2" * 32]
ANNA = Caller(user_id=6_000_000_001, first_name="Anna", language="uk", since=1_000_000)


def test_public_vector() -> None:
    """Data that Telegram itself has signed are accepted, and say who it is."""
    caller = verify_launch(VECTOR, VECTOR_TOKEN, VECTOR_DATE + 10)

    assert (caller.user_id, caller.first_name) == (279058397, "Vladislav")
    assert caller.language == "ru"


@pytest.mark.parametrize("now", [VECTOR_DATE + LAUNCH_LIFETIME, VECTOR_DATE - 61])
def test_data_of_another_time(now: float) -> None:
    """The same data are refused when they are too old, or not yet made."""
    with pytest.raises(ProofInvalid):
        verify_launch(VECTOR, VECTOR_TOKEN, now)


@pytest.mark.parametrize("place", range(0, len(VECTOR), 7))
def test_any_change_breaks_the_signature(place: int) -> None:
    """A change of any letter of the data is noticed."""
    letter = "1" if VECTOR[place] != "1" else "2"
    changed = VECTOR[:place] + letter + VECTOR[place + 1 :]

    with pytest.raises(ProofInvalid):
        verify_launch(changed, VECTOR_TOKEN, VECTOR_DATE + 10)


def test_short_token() -> None:
    """A token stands for the same caller until it ends, also after SECRET_KEY was changed."""
    tokens, rotated = ShortTokens(KEYS[:1]), ShortTokens([KEYS[1], KEYS[0]])
    token, expires = tokens.make(ANNA, 1_000_100)

    assert expires == 1_000_100 + TOKEN_LIFETIME
    assert tokens.verify(token, expires - 1) == ANNA
    assert rotated.verify(token, expires - 1) == ANNA
    for late in (expires, ANNA.since + LAUNCH_LIFETIME):
        with pytest.raises(ProofInvalid):
            tokens.verify(token, late)
    with pytest.raises(ProofInvalid):
        ShortTokens(KEYS[1:]).verify(token, expires - 1)


@pytest.mark.parametrize(
    ("code", "language"), [("ru", "ru"), ("uk-UA", "uk"), ("de", "en"), (None, "en"), (1, "en")]
)
def test_language(code: object, language: str) -> None:
    """The nearest of our languages is chosen, English if there is none."""
    assert known_language(code) == language
