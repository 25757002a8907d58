"""Decides which waiting recipient is next: single messages first, each chat in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from supervisor.notifications.rates import Pace

LONGEST_PAUSE = 30.0  # seconds until the queue is looked at again


class Queued(NamedTuple):
    """A recipient whose message waits, at the head of its chat or right behind it."""

    id: int
    peer_id: int
    parts: int
    is_urgent: bool
    expires: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done now: hand these over, and look again after the pause."""

    ready: tuple[Queued, ...] = ()
    expired: tuple[int, ...] = ()
    pause: float = LONGEST_PAUSE


def next_step(
    queued: Sequence[Queued], pace: Pace, room: int, busy: Collection[int], now: float
) -> Step:
    """Choose as many as the limits allow; what is chosen is spent.

    A chat is urgent if a single message waits in it: then its earlier ones are sent first. A chat
    in `busy` waits until its earlier message is through.
    """
    expired = tuple(each.id for each in queued if is_expired(each, now))
    ready: list[Queued] = []
    pause = LONGEST_PAUSE
    blocked = set(busy)
    for each in sorted(queued, key=lambda each: (not each.is_urgent, each.id)):
        if is_expired(each, now) or each.peer_id in blocked:
            continue
        blocked.add(each.peer_id)  # what comes later in this chat waits for the next step
        wait = pace.wait(each.peer_id, now)
        if wait > 0 or len(ready) >= room:
            pause = min(pause, wait or pause)
            continue
        pace.spend(each.peer_id, each.parts, now)
        ready.append(each)
        pause = 0.0
    return Step(tuple(ready), expired, pause)


def is_expired(queued: Queued, now: float) -> bool:
    return queued.expires is not None and queued.expires <= now
