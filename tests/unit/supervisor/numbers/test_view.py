"""What is told about a number."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from supervisor.database.tables import Login, Wanted
from supervisor.numbers.state import LiveState
from supervisor.numbers.view import view_of
from supervisor.store.values import Number

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
STORED = Number(
    number="380500000001",
    is_bot=False,
    client="Acme",
    url_planfix="https://acme.planfix.com",
    provider_id="telegram",
    user_email=None,
    proxy_place=None,
    wanted=Wanted.RUNNING,
    login=Login.DONE,
    parked=None,
    last_error=None,
    heard=None,
    restarts=0,
    epoch=1,
    created=BEGUN,
    changed=BEGUN,
)


class Nonsensical:
    """A keeper whose worker says it has heard something at a time that does not exist."""

    worker_health = None

    def __init__(self, last_heard: float) -> None:
        self.live_state = LiveState()
        self.last_heard = last_heard


@pytest.mark.parametrize("last_heard", [1e300, -1e300, 1e12, float("inf"), float("nan")])
def test_time_that_does_not_exist_is_none(last_heard: float) -> None:
    """A list with such a number in it can be shown."""
    keeper: Any = Nonsensical(last_heard)

    assert view_of(STORED, keeper).last_heard is None


def test_last_heard_survives_a_restart() -> None:
    """Until its new worker hears something, a number was last heard when the gateway stored it."""
    keeper: Any = Nonsensical(0.0)
    stored = replace(STORED, heard=BEGUN.timestamp())

    assert view_of(stored, keeper).last_heard == BEGUN
    assert view_of(stored, None).last_heard == BEGUN


def test_time_is_told() -> None:
    """What was heard at a time that does exist was heard then."""
    keeper: Any = Nonsensical(BEGUN.timestamp())

    assert view_of(STORED, keeper).last_heard == BEGUN
