"""What became of a number's messages: how many were delivered or failed, and how long they took."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from session_worker.protocol.messages import Delivered, Failed, PartSent, StatusTold
from supervisor.database.tables import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_worker.protocol.messages import MessageEvent
    from supervisor.journal.values import Recorded

MOST_OPEN = 100_000  # messages whose beginning is remembered

logger = logging.getLogger(__name__)


class Dead(NamedTuple):
    """A message that is not tried any more."""

    row: int
    code: str
    detail: str


class MessageNews(NamedTuple):
    """What has changed about the messages of a number."""

    number: str
    delivered: tuple[tuple[Direction, float | None], ...] = ()
    """The direction of each delivered message, and the seconds since it came, if that is known."""
    failures: int = 0
    dead: tuple[Dead, ...] = ()


class Watcher(Protocol):
    """Somebody who is told when a number has a worker, and when an outgoing message is finished."""

    def attach_worker(self, number: str) -> None: ...
    def detach_worker(self, number: str) -> None: ...
    def finish(self, number: str, row: int) -> None: ...
    def wake(self, number: str) -> None: ...
    async def look_for_work(self) -> None: ...


class Traffic:
    """Remembers when messages came, and reports how long they took."""

    def __init__(self, number: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._number = number
        self._clock = clock
        self._came: dict[int, float] = {}
        self.report: Callable[[MessageNews], None] = lambda _news: None

    def begin(self, row: int) -> None:
        if len(self._came) < MOST_OPEN:
            self._came[row] = self._clock()

    def move(self) -> None:
        """Report that the number's messages have changed without an event of its worker."""
        self.report(MessageNews(self._number))

    def follow(self, events: Sequence[MessageEvent], recorded: Recorded) -> None:
        """Report what the events of a worker say, now that they are recorded."""
        delivered: list[tuple[Direction, float | None]] = []
        dead: list[Dead] = []
        failures = 0
        sent = set(recorded.sent)
        for row in recorded.dropped:
            self._end(row)
        for event in events:
            match event:
                case Delivered(row=row):
                    delivered.append((Direction.IN, self._end(row)))
                case PartSent(row=row) if row in sent:
                    sent.discard(row)
                    delivered.append((Direction.OUT, self._end(row)))
                case Failed(row=row, failure=failure):
                    failures += 1
                    if failure.next_try is None:
                        self._end(row)
                        dead.append(Dead(row, failure.code, failure.detail))
                case StatusTold(row=row, status=status, failure=failure) if failure is not None:
                    logger.warning(
                        "number %s: Planfix refused the status of row %d (%s): %s",
                        self._number,
                        row,
                        status,
                        failure.code,
                    )
                case _:
                    pass  # no message has come to an end
        self.report(MessageNews(self._number, tuple(delivered), failures, tuple(dead)))

    def _end(self, row: int) -> float | None:
        came = self._came.pop(row, None)
        return None if came is None else self._clock() - came
