"""Limits on downloads, so that slow readers of one number's files do not block the others."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial

from api.requests.call_end import at_end
from api.requests.errors import ApiError

MOST = 128  # downloads at the same time
MOST_OF_ONE = 32  # of one number; Planfix fetches all files of an album at once
WAIT = 10.0  # seconds to wait for a free place
GRACE = 60.0  # seconds that every download may take
SLOWEST = 32 << 10  # bytes per second, on average
LONGEST = 3600.0  # seconds


class Downloads:
    """Assigns places; a call keeps its place until it ends."""

    def __init__(self, most: int = MOST, of_one: int = MOST_OF_ONE, wait: float = WAIT) -> None:
        self._all = asyncio.Semaphore(most)
        self._of = defaultdict[str, asyncio.Semaphore](partial(asyncio.Semaphore, of_one))
        self._wait = wait

    async def take_place(self, number: str) -> None:
        """Take a place until this call ends; raise ApiError if none becomes free in time."""
        try:
            async with asyncio.timeout(self._wait):
                # The number's own places first, so that a call waiting for them occupies no shared place.
                for places in (self._of[number], self._all):
                    await places.acquire()
                    at_end(places.release)
        except TimeoutError as exc:
            headers = {"Retry-After": str(int(self._wait) or 1)}
            reason = "too many downloads at the same time"
            raise ApiError(503, "too_many_downloads", reason, headers=headers) from exc


def time_for(size: int) -> float:
    """Return how many seconds a download of this size may take."""
    return min(LONGEST, GRACE + size / SLOWEST)
