"""How long messages took is known of all that are delivered, however many are not."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from session_worker.protocol.messages import Delivered
from supervisor.database.tables import Direction
from supervisor.journal.values import Recorded
from supervisor.messages.traffic import MOST_OPEN, Traffic
from tests.unit.supervisor.rows import NUMBER

if TYPE_CHECKING:
    from supervisor.messages.traffic import MessageNews


def test_dropped_messages_are_forgotten() -> None:
    """Echoes of our own messages are dropped and never delivered; their times take no room for ever."""
    traffic = Traffic(NUMBER, clock=count().__next__)
    news: list[MessageNews] = []
    traffic.report = news.append
    for row in range(MOST_OPEN):
        traffic.begin(row)

    traffic.follow([], Recorded(dropped=frozenset(range(MOST_OPEN))))
    traffic.begin(MOST_OPEN)
    traffic.follow([Delivered(row=MOST_OPEN)], Recorded())

    assert news[-1].delivered == ((Direction.IN, 1),)
