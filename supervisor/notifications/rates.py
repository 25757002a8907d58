"""How fast a bot may send, and which waiting recipient is next: single messages first, each chat in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from supervisor.store.values import Queued, UnderWay

MOST_CHATS = 5000  # that are remembered
# Telegram's limits: messages of a bot within a second, and messages to one group within a minute.
MOST_A_SECOND, MOST_TO_A_GROUP = 30, 20
SECOND, MINUTE = 1.0, 60.0
LONGEST_PAUSE = 30.0  # seconds until the queue is looked at again


@dataclass(frozen=True, slots=True)
class Rate:
    """How many messages may be sent in a row, and how many a second after that."""

    burst: float
    a_second: float


EVENLY = Rate(burst=5, a_second=25)


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

    def _left(self, now: float) -> float:
        refilled = max(0.0, now - self.at) * self.rate.a_second
        return min(self.rate.burst, self.left + refilled)


class Window:
    """How many messages ended within the last second, or the last minute."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._ended: deque[tuple[float, int]] = deque()

    def end(self, messages: int, at: float) -> None:
        self._ended.append((at, messages))

    def wait(self, messages: int, under_way: int, now: float) -> float:
        """Return the seconds until so many messages fit in beside those that are under way."""
        self._forget(now)
        ended = sum(count for _, count in self._ended)
        excess = ended + under_way + min(messages, self._most) - self._most
        if excess <= 0:
            return 0.0
        for at, count in self._ended:
            excess -= count
            if excess <= 0:
                return at + self._seconds - now
        return LONGEST_PAUSE  # the end of one that is under way lets the queue look again

    def is_empty(self, now: float) -> bool:
        self._forget(now)
        return not self._ended

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0][0] + self._seconds <= now:
            self._ended.popleft()


class Pace:
    """What one bot has sent lately: to each chat, and to all chats together.

    A message reaches Telegram at an unknown moment between its hand-over and its end: late if there
    is no connection, and together with others if a new worker finds them all. It therefore counts
    from its hand-over until a second after its end.
    """

    def __init__(self, now: float) -> None:
        self._evenly = Bucket.full(EVENLY, now)
        self._last_second = Window(MOST_A_SECOND, SECOND)
        self._groups: dict[int, Window] = {}
        self._rests: dict[int, float] = {}

    def wait(self, messages: int, under_way: int, now: float) -> float:
        """Return the seconds until so many messages may be sent, while others are under way."""
        return max(self._evenly.wait(now), self._last_second.wait(messages, under_way, now))

    def rest(self, peer_id: int, messages: int, now: float) -> float:
        """Return the seconds until this chat, in which nothing is under way, may get so many messages."""
        group = self._groups.get(peer_id)
        limit = group.wait(messages, 0, now) if group else 0.0
        return max(limit, self._rests.get(peer_id, now) - now)

    def begin(self, messages: int, now: float) -> None:
        self._evenly = self._evenly.spend(messages, now)

    def end(self, sent: UnderWay, at: float) -> None:
        """Count a message that has ended, here or within the last minute in another process."""
        self._last_second.end(sent.parts, at)
        rests = at + sent.parts * SECOND
        self._rests[sent.peer_id] = max(rests, self._rests.get(sent.peer_id, rests))
        if sent.peer_id < 0:
            group = self._groups.setdefault(sent.peer_id, Window(MOST_TO_A_GROUP, MINUTE))
            group.end(sent.parts, at)
        if len(self._rests) > MOST_CHATS:
            self._forget(at)

    def _forget(self, now: float) -> None:
        self._rests = {peer: until for peer, until in self._rests.items() if until > now}
        self._groups = {peer: each for peer, each in self._groups.items() if not each.is_empty(now)}


@dataclass(frozen=True, slots=True)
class Step:
    """What is handed over now, and the seconds after which to look again."""

    ready: tuple[Queued, ...] = ()
    pause: float = LONGEST_PAUSE


def next_step(
    queued: Sequence[Queued], pace: Pace, room: int, under_way: Collection[UnderWay], now: float
) -> Step:
    """Choose as many messages as the limits allow, and count them as sent.

    A message is urgent if one to a single recipient waits in its chat: such chats come first. A chat
    with a message under way waits until that message has ended.
    """
    ready: list[Queued] = []
    pause = LONGEST_PAUSE
    blocked = {each.peer_id for each in under_way}
    parts = sum(each.parts for each in under_way)
    for each in sorted(queued, key=lambda each: (not each.is_urgent, each.id)):
        if each.peer_id in blocked:
            continue
        blocked.add(each.peer_id)  # what comes later in this chat waits for the next step
        rest = pace.rest(each.peer_id, each.parts, now)
        if rest > 0:
            pause = min(pause, rest)
            continue
        wait = pace.wait(each.parts, parts, now)
        if wait > 0 or len(ready) >= room:
            pause = min(pause, wait or pause)
            break  # otherwise smaller messages would overtake a message of many parts for ever
        pace.begin(each.parts, now)
        parts += each.parts
        ready.append(each)
        pause = 0.0
    return Step(tuple(ready), pause)


def expired(queued: Sequence[Queued], now: float) -> frozenset[int]:
    """Return the recipients whom the message would reach too late."""
    return frozenset(each.id for each in queued if each.expires is not None and each.expires <= now)
