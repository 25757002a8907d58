"""Whether this machine's clock is fit to speak MTProto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.protocol.contract import Trouble, TroubleCode

if TYPE_CHECKING:
    from datetime import datetime

# Telegram ignores messages more than 30 s ahead; half of it leaves time to act.
TOLERANCE = 15.0  # seconds


def clock_trouble(telegram: datetime, here: datetime) -> Trouble | None:
    """Measure the clock here against Telegram's; None while it is good enough."""
    ahead = (here - telegram).total_seconds()
    if abs(ahead) <= TOLERANCE:
        return None
    where = "ahead of" if ahead > 0 else "behind"
    return Trouble(
        code=TroubleCode.CLOCK, detail=f"the clock here is {abs(ahead):.0f} s {where} Telegram's"
    )
