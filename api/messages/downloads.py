"""Room for downloads, so that slow readers of one number's files leave room for others'."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial

from api.requests.call_end import at_end
from api.requests.errors import ApiError

MOST = 128  # downloads at a time
MOST_OF_ONE = 32  # of one number; Planfix fetches what one album holds all at once
WAIT = 10.0  # seconds until a place is free
GRACE = 60.0  # seconds that any download may take
SLOWEST = 32 << 10  # bytes a second, on the average
LONGEST = 3600.0  # seconds


class Downloads:
    """Gives out places, each held until its call is over."""

    def __init__(self, most: int = MOST, of_one: int = MOST_OF_ONE, wait: float = WAIT) -> None:
        self._all = asyncio.Semaphore(most)
        self._of = defaultdict[str, asyncio.Semaphore](partial(asyncio.Semaphore, of_one))
        self._wait = wait

    async def take_place(self, number: str) -> None:
        """Take a place for the rest of this call; raises ApiError where none gets free in time."""
        try:
            async with asyncio.timeout(self._wait):
                # Its own first: who waits for these takes no place of all.
                for places in (self._of[number], self._all):
                    await places.acquire()
                    at_end(places.release)
        except TimeoutError as exc:
            headers = {"Retry-After": str(int(self._wait) or 1)}
            reason = "too many downloads at a time"
            raise ApiError(503, "too_many_downloads", reason, headers=headers) from exc


def time_for(size: int) -> float:
    """Say how long a download of that many bytes may take, in seconds."""
    return min(LONGEST, GRACE + size / SLOWEST)
