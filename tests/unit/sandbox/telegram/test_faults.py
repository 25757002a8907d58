"""Faults hit whom they name, as long as they were ordered."""

from __future__ import annotations

import pytest

from sandbox.telegram.errors import code_of
from sandbox.telegram.faults import Condition, Faults, Kind, method_fault

PHONE = "380501112233"
METHOD = "messages.sendmessage"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("FLOOD_WAIT_30", 420),
        ("FLOOD_WAIT", 420),
        ("SLOWMODE_WAIT_5", 420),
        ("PEER_FLOOD", 400),
        ("AUTH_KEY_UNREGISTERED", 401),
        ("USER_DEACTIVATED_BAN", 401),
        ("AUTH_KEY_DUPLICATED", 406),
        ("CHAT_WRITE_FORBIDDEN", 403),
        ("RANDOM_ID_DUPLICATE", 500),
        ("PHONE_MIGRATE_4", 303),
        ("NO_SUCH_ERROR", 400),
    ],
)
def test_errors_have_telegrams_codes(error: str, code: int) -> None:
    """An error by name gets the code that Telegram sends with it."""
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("phone", "method", "hit"),
    [
        (None, None, True),
        ("+" + PHONE, "messages.sendMessage", True),
        (None, "SENDMESSAGE", True),
        ("380000000000", None, False),
        (None, "messages.SendMediaRequest", False),
    ],
)
def test_fault_hits_what_it_names(phone: str | None, method: str | None, hit: bool) -> None:
    """What is left out means every account, every method."""
    faults = Faults()
    faults.fail(method_fault("PEER_FLOOD", phone, method))

    assert (faults.next_error(PHONE, METHOD) is not None) is hit


def test_fault_ends_after_its_times() -> None:
    """A counted fault is used up; the next in line follows."""
    faults = Faults()
    faults.fail(method_fault("FIRST"), times=2)
    faults.fail(method_fault("SECOND"), times=1)

    given = [faults.next_error(PHONE, METHOD) for _ in range(4)]

    assert [error and error.message for error in given] == ["FIRST", "FIRST", "SECOND", None]


def test_condition_ends_with_its_seconds() -> None:
    """A condition holds for its account until its moment."""
    faults = Faults()
    faults.add(Condition.make(Kind.DEAF, PHONE, 10, now=100))

    assert faults.holds(Kind.DEAF, PHONE, now=109)
    assert not faults.holds(Kind.DEAF, PHONE, now=110)
    assert not faults.holds(Kind.DEAF, "380000000000", now=100)
    assert not faults.holds(Kind.SLOW, PHONE, now=100)


def test_seconds_of_slow_are_its_delay() -> None:
    """Slow lasts until it is cleared; the longest delay counts."""
    faults = Faults()
    faults.add(Condition.make(Kind.SLOW, PHONE, 2, now=0))
    faults.add(Condition.make(Kind.SLOW, None, 1, now=0))

    assert faults.delay(PHONE, now=1000) == 2
    assert faults.delay("380000000000", now=1000) == 1
    faults.clear()
    assert faults.delay(PHONE, now=1000) == 0
