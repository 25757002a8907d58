"""An event of Planfix waits for what it lacks, but not for ever."""

from __future__ import annotations

import pytest

from supervisor.notifications.planfix_facts import Lack, Wait, wait_of

HALF, MINUTE, HOUR = 30.0, 60.0, 3600.0


@pytest.mark.parametrize(
    ("lack", "age", "rest", "expected"),
    [
        (Lack.NOTHING, 0.0, HOUR, None),
        (Lack.PART, 0.0, HALF, Wait(HALF, holds_others=True)),
        (Lack.PART, HALF, HALF, Wait(HALF, holds_others=True)),
        (Lack.PART, HALF + 1, HALF, None),
        (Lack.PART, 0.0, HOUR, None),
        (Lack.RECIPIENTS, 0.0, HALF, Wait(HALF, holds_others=True)),
        (Lack.RECIPIENTS, HALF, MINUTE, Wait(MINUTE, holds_others=False)),
        (Lack.RECIPIENTS, 0.0, HOUR, Wait(5 * MINUTE, holds_others=False)),
        (Lack.RECIPIENTS, 23 * HOUR, MINUTE, Wait(MINUTE, holds_others=False)),
        (Lack.RECIPIENTS, 24 * HOUR, MINUTE, None),
        (Lack.PART, 0.0, 0.0, Wait(1.0, holds_others=True)),
        (Lack.PART, -HOUR, HALF, Wait(HALF, holds_others=True)),
    ],
)
def test_event_waits_as_long_as_that_is_of_use(
    lack: Lack, age: float, rest: float, expected: Wait | None
) -> None:
    """Whom an event names is told within a minute; an event for nobody waits for a day, and lets others pass."""
    assert wait_of(lack, age, rest) == expected
