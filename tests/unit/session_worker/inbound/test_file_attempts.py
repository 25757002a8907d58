"""How often a file is asked for in vain before it is given up."""

from __future__ import annotations

import errno

import pytest

from session_worker.inbound.message_assembly import MOST_CUTS, MOST_TRIES, Retries
from session_worker.telegram.errors import (
    FloodWait,
    NoAnswer,
    Refused,
    TelegramError,
    TemporarilyFailed,
    Unreachable,
)


@pytest.mark.parametrize(
    ("error", "most"),
    [
        (TemporarilyFailed("x"), MOST_TRIES),
        (Unreachable("x"), MOST_CUTS),
        (NoAnswer("x"), MOST_CUTS),
    ],
    ids=["trouble", "cut", "silence"],
)
def test_patience_ends(error: TelegramError, most: int) -> None:
    """Each kind of trouble is met with a pause so many times, then raised."""
    retries = Retries()

    pauses = [retries.pause_after(error) for _ in range(most - 1)]

    assert all(pause > 0 for pause in pauses)
    with pytest.raises(type(error)):
        retries.pause_after(error)


def test_kinds_are_counted_apart() -> None:
    """A bad line does not use up the retries with Telegram's own trouble."""
    retries = Retries()
    for _ in range(MOST_CUTS - 1):
        retries.pause_after(Unreachable("cut"))

    assert retries.pause_after(TemporarilyFailed("x")) > 0


def test_a_refusal_is_final() -> None:
    """What is refused for good is not asked again."""
    with pytest.raises(Refused):
        Retries().pause_after(Refused(400, "LOCATION_INVALID"))


def test_a_full_disk_is_waited_for() -> None:
    """However long the disk is full, that is no reason to give up a file that Telegram has."""
    retries = Retries()

    pauses = [retries.pause_after(OSError(errno.ENOSPC, "full")) for _ in range(10 * MOST_TRIES)]

    assert 0 < max(pauses) <= 60
    assert retries.pause_after(OSError(errno.ENOTDIR, "spoilt")) > 0


def test_a_wait_is_kept() -> None:
    """Telegram is asked no sooner than it says."""
    assert Retries().pause_after(FloodWait(120, "FLOOD_WAIT")) >= 120
