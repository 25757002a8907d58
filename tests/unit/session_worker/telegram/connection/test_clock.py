"""A wrong clock is told, a slightly wrong one is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from session_worker.protocol.contract import TroubleCode
from session_worker.telegram.connection.polling import clock_trouble

TELEGRAM = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "words"), [(412, "412 s ahead of"), (-90, "90 s behind")])
def test_a_wrong_clock_is_named(seconds: int, words: str) -> None:
    """Who reads it knows by how much the clock is wrong, in which direction."""
    trouble = clock_trouble(TELEGRAM, TELEGRAM + timedelta(seconds=seconds))

    assert trouble is not None
    assert trouble.code is TroubleCode.CLOCK
    assert words in trouble.detail


@pytest.mark.parametrize("seconds", [0, 2, -15, 15])
def test_seconds_do_not_matter(seconds: int) -> None:
    """What the network takes is no fault of the clock."""
    assert clock_trouble(TELEGRAM, TELEGRAM + timedelta(seconds=seconds)) is None
