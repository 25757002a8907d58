"""Makes the wall clock of every Python program wrong that finds this folder on its path.

No other clock is touched: monotonic ones do not depend on what a machine takes for the time of day.
"""

from __future__ import annotations

import datetime
import os
import time
from typing import Any

OFFSET = float(os.environ.get("WRONG_CLOCK", "0"))
RIGHT = datetime.datetime
_right_time, _right_time_ns = time.time, time.time_ns


class _Kind(type):
    """Takes moments that were made in C for moments of this class."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, RIGHT)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, RIGHT)


class WrongDatetime(datetime.datetime, metaclass=_Kind):
    """A moment that is wrong when it is now."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)


if OFFSET:
    time.time = lambda: _right_time() + OFFSET
    time.time_ns = lambda: _right_time_ns() + int(OFFSET * 1_000_000_000)
    datetime.datetime = WrongDatetime  # type: ignore[misc]  # that is the point
