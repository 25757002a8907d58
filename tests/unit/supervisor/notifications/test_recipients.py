"""Addresses of recipients, as programs and as people write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.errors import AddressMalformed
from supervisor.notifications.outcome import Outcome, RecipientState, mutes, outcome_of
from supervisor.notifications.recipients import (
    Address,
    parse_address,
    parse_loosely,
    parse_phone,
)
from supervisor.store.values import Progress


def fields(address: Address) -> tuple[str, str, int | None]:
    return address.kind.value, address.value, address.topic


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (123, ("chat", "123", None)),
        ("123", ("chat", "123", None)),
        ("@some_name", ("name", "some_name", None)),
        ("+38 (050) 111-22-33", ("phone", "380501112233", None)),
        ("chat:-1001234567890", ("chat", "-1001234567890", None)),
        ("chat:-1001234567890/topic:7", ("chat", "-1001234567890", 7)),
        ("alias:ops", ("alias", "ops", None)),
    ],
)
def test_address_is_read(written: str | int, expected: tuple[str, str, int | None]) -> None:
    """Each kind of address of the contract is told apart."""
    assert fields(parse_address(written)) == expected


@pytest.mark.parametrize(
    "written",
    ["", "0", "-5", "name", "@x", "@", "+", "+12", "chat:", "chat:0", "chat:5/topic:", "alias:",
     "alias:a b", "9" * 20, "x" * 500, True, "1\u0662", "+\u0663\u0668\u0660\u0665\u0660",
     "chat:-1\u0660"],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str | int) -> None:
    """Nothing is guessed: what is no address is refused."""
    with pytest.raises(AddressMalformed):
        parse_address(written)


@given(st.text(max_size=120))
def test_no_text_fails_otherwise(text: str) -> None:
    """Whatever is written, it is an address or it is refused."""
    for parse in (parse_address, parse_loosely, parse_phone):
        with suppress(AddressMalformed):
            assert isinstance(parse(text), Address)


def test_people_write_less_strictly() -> None:
    """A card holds a bare name, a link or a phone without plus; all of them name somebody."""
    assert fields(parse_loosely("some_name")) == ("name", "some_name", None)
    assert fields(parse_loosely("https://t.me/some_name")) == ("name", "some_name", None)
    assert fields(parse_loosely("alias:ops")) == ("alias", "ops", None)
    assert fields(parse_phone("380501112233")) == ("phone", "380501112233", None)


@pytest.mark.parametrize(
    ("progress", "outcome"),
    [
        (Progress("queued", None), Outcome(RecipientState.QUEUED)),
        (Progress("expired", None), Outcome(RecipientState.EXPIRED)),
        (Progress("in_journal", None, "pending"), Outcome(RecipientState.QUEUED)),
        (Progress("in_journal", None, "delivered", None, 7), Outcome(RecipientState.SENT, 7)),
        (Progress("in_journal", None, "dead", "EXPIRED"), Outcome(RecipientState.EXPIRED)),
        (
            Progress("in_journal", None, "dead", "USER_IS_BLOCKED"),
            Outcome(RecipientState.FAILED, error="blocked_by_contact"),
        ),
        (
            Progress("in_journal", None, "dead", "SOMETHING_NEW"),
            Outcome(RecipientState.FAILED, error="something_new"),
        ),
        (Progress("in_journal", None), Outcome(RecipientState.SENT, 0)),
    ],
)
def test_outcome_is_told(progress: Progress, outcome: Outcome) -> None:
    """What is stored of a recipient and of its row in the journal makes one answer."""
    assert outcome_of(progress) == outcome


def test_block_mutes() -> None:
    """Who blocked the bot is muted; who is only slow is not."""
    assert mutes("USER_IS_BLOCKED")
    assert not mutes("FLOOD_WAIT")
    assert not mutes(None)
