"""How fast a bot may send, and which waiting recipient is next: single messages first, each chat in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from supervisor.store.notifications import Queued

MOST_BUCKETS = 5000  # chats that are remembered


@dataclass(frozen=True, slots=True)
class Rate:
    """How many messages may be sent in a row, and how many a second after that."""

    burst: float
    a_second: float


# Within any second, minute and so on a bucket lets through its burst and what has flowed in since:
# at most 30 a second in all, and 20 a minute into one group.
IN_ALL = Rate(burst=5, a_second=25)
PER_CHAT = Rate(burst=1, a_second=1)
PER_GROUP = Rate(burst=5, a_second=15 / 60)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a rate; it is negative after a message of several parts."""

    rate: Rate
    left: float
    at: float

    @classmethod
    def full(cls, rate: Rate, now: float) -> Bucket:
        return cls(rate, rate.burst, now)

    def wait(self, now: float) -> float:
        """Return the seconds until the next message may be sent."""
        return max(0.0, (1 - self._left(now)) / self.rate.a_second)

    def spend(self, messages: int, now: float) -> Bucket:
        return replace(self, left=self._left(now) - messages, at=max(now, self.at))

    def is_full(self, now: float) -> bool:
        return self._left(now) >= self.rate.burst

    def _left(self, now: float) -> float:
        flown_in = max(0.0, now - self.at) * self.rate.a_second
        return min(self.rate.burst, self.left + flown_in)


class Pace:
    """The buckets of one bot: for each chat, and for all chats together."""

    def __init__(self, now: float) -> None:
        self._all = Bucket.full(IN_ALL, now)
        self._chats: dict[int, Bucket] = {}

    def wait(self, peer_id: int, now: float) -> float:
        """Return the seconds until a message may be sent into this chat."""
        return max(self._all.wait(now), self._bucket(peer_id, now).wait(now))

    def wait_in_all(self, now: float) -> float:
        return self._all.wait(now)

    def spend(self, peer_id: int, messages: int, now: float) -> None:
        self._all = self._all.spend(messages, now)
        self._chats[peer_id] = self._bucket(peer_id, now).spend(messages, now)
        if len(self._chats) > MOST_BUCKETS:
            self._chats = {
                peer: bucket for peer, bucket in self._chats.items() if not bucket.is_full(now)
            }

    def _bucket(self, peer_id: int, now: float) -> Bucket:
        rate = PER_CHAT if peer_id > 0 else PER_GROUP
        return self._chats.get(peer_id) or Bucket.full(rate, now)


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
