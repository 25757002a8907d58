"""Decides which waiting recipient is next: single messages first, each chat in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from supervisor.notifications.rates import Pace
    from supervisor.store.values import Queued

LONGEST_PAUSE = 30.0  # seconds until the queue is looked at again


@dataclass(frozen=True, slots=True)
class Step:
    """What is handed over now, and the seconds after which to look again."""

    ready: tuple[Queued, ...] = ()
    pause: float = LONGEST_PAUSE


def next_step(
    queued: Sequence[Queued], pace: Pace, room: int, busy: Collection[int], now: float
) -> Step:
    """Choose as many as the limits allow; what is chosen is spent.

    A chat is urgent if a single message waits in it: then its earlier ones are sent first. A chat
    in `busy` waits until its earlier message is through.
    """
    ready: list[Queued] = []
    pause = LONGEST_PAUSE
    blocked = set(busy)
    for each in sorted(queued, key=lambda each: (not each.is_urgent, each.id)):
        if each.peer_id in blocked:
            continue
        blocked.add(each.peer_id)  # what comes later in this chat waits for the next step
        wait = pace.wait(each.peer_id, now)
        if wait > 0 or len(ready) >= room:
            pause = min(pause, wait or pause)
            continue
        pace.spend(each.peer_id, each.parts, now)
        ready.append(each)
        pause = 0.0
    return Step(tuple(ready), pause)


def expired(queued: Sequence[Queued], now: float) -> frozenset[int]:
    """Return the recipients whom the message would reach too late."""
    return frozenset(each.id for each in queued if each.expires is not None and each.expires <= now)
