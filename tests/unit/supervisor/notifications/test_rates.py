"""Telegram's limits are kept, single messages go first, and each chat keeps its order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.notifications.rates import LONGEST_PAUSE, MINUTE, Pace, expired, next_step
from supervisor.store.values import Queued, UnderWay

ROOM = 20
SEEDS = st.integers(0, 2**32)


def queued(number: int, peer_id: int, *, urgent: bool = False, parts: int = 1) -> Queued:
    return Queued(number, peer_id, parts, urgent, None)


@dataclass
class Flight:
    """A message that was handed over, and when it came to Telegram, and when that was known."""

    queued: Queued
    came: float | None = None
    ended: float | None = None

    @property
    def under_way(self) -> UnderWay:
        return UnderWay(self.queued.peer_id, self.queued.parts)


@dataclass
class Journey:
    """Hands over what waits; a message comes at any moment before its end is known."""

    random: Random
    troubles: float = 0.0
    """How probable it is, at each step, that the connection is lost or the worker dies."""
    now: float = 0.0
    _open: list[Flight] = field(default_factory=list)
    _over: list[Flight] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pace = Pace(self.now)

    def send(self, waiting: list[Queued], seconds: float = 300) -> list[tuple[float, Queued]]:
        """Let the time pass, and return when each came to Telegram."""
        connected = 0.0
        while (waiting or self._open) and self.now < seconds:
            under_way = [flight.under_way for flight in self._open]
            step = next_step(waiting, self._pace, ROOM - len(under_way), under_way, self.now)
            self._open += [Flight(each) for each in step.ready]
            waiting = [each for each in waiting if each not in step.ready]
            if self.random.random() < self.troubles:
                connected = self.now + self.random.random() * 3
                self._start_again()
            is_woken = self.now >= connected and self._move()
            self.now += 0.01 if is_woken or self._open else max(step.pause, 0.001)
        return sorted((each.came, each.queued) for each in self._over if each.came is not None)

    def _move(self) -> bool:
        """Let messages come to Telegram, and some of them end; return whether one did."""
        before = len(self._open)
        for flight in list(self._open):
            if flight.came is None:
                flight.came = self.now
            if not self.troubles or self.random.random() < 0.5:
                flight.ended = self.now
                self._pace.end(flight.under_way, self.now)
                self._open.remove(flight)
                self._over.append(flight)
        return len(self._open) < before

    def _start_again(self) -> None:
        """Begin as another process does: with what the journal knows."""
        self._pace = Pace(self.now)
        for flight in self._over:
            if flight.ended is not None and flight.ended > self.now - MINUTE:
                self._pace.end(flight.under_way, flight.ended)


def sent_at(waiting: list[Queued]) -> list[tuple[float, Queued]]:
    """Return when each message comes if all goes well."""
    return Journey(Random(0)).send(waiting)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=200), SEEDS, st.booleans())
def test_limits_are_kept(peers: list[int], seed: int, is_troubled: bool) -> None:
    """No second has more than thirty messages, or more than one to a person, through losses and deaths."""
    journey = Journey(Random(seed), troubles=0.03 if is_troubled else 0.0)

    sent = journey.send([queued(place, peer) for place, peer in enumerate(peers)])

    assert len(sent) == len(peers)
    for start, _ in sent:
        within = [each for at, each in sent if start <= at < start + 1 - 1e-6]
        assert len(within) <= 30
        assert max(Counter(each.peer_id for each in within).values()) == 1


@settings(max_examples=25)
@given(SEEDS, st.booleans())
def test_limit_of_a_group_is_kept(seed: int, is_troubled: bool) -> None:
    """A group gets no more than twenty messages in any minute, whoever hands them over."""
    journey = Journey(Random(seed), troubles=0.01 if is_troubled else 0.0)

    sent = journey.send([queued(place, -5) for place in range(60)])

    assert len(sent) == 60
    apart = [later[0] - first[0] for first, later in zip(sent, sent[20:], strict=False)]
    assert min(apart) > 60 - 1e-6


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=50))
def test_order_of_a_chat_is_kept(messages: list[tuple[int, bool]]) -> None:
    """Whatever is urgent, each chat gets its messages in the order in which they were accepted."""
    urgent = {peer for peer, is_urgent in messages if is_urgent}
    waiting = [
        queued(place, peer, urgent=peer in urgent) for place, (peer, _) in enumerate(messages)
    ]

    sent = [each for _, each in sent_at(waiting)]

    for peer in range(1, 6):
        ids = [each.id for each in sent if each.peer_id == peer]
        assert all(first < later for first, later in pairwise(ids))


def test_single_message_passes_the_bulk() -> None:
    """A single message is sent next, however many of a bulk wait before it."""
    bulk = [queued(place, 100 + place) for place in range(1000)]

    step = next_step([*bulk, queued(5000, 7, urgent=True)], Pace(0.0), ROOM, (), 0.0)

    assert step.ready[0].id == 5000


def test_expired_and_busy_are_left_out() -> None:
    """What has expired is named, and a chat with a message on its way waits."""
    late = Queued(1, 1, 1, is_urgent=False, expires=9.0)

    step = next_step([queued(2, 2), queued(3, 3)], Pace(0.0), ROOM, [UnderWay(2, 1)], 10.0)

    assert expired([late, queued(2, 2)], 10.0) == {1}
    assert expired([late], 8.0) == frozenset()
    assert [each.id for each in step.ready] == [3]


def test_full_room_waits() -> None:
    """Nothing is handed over while as many are on their way as may be."""
    step = next_step([queued(1, 1)], Pace(0.0), 0, (), 0.0)

    assert (step.ready, step.pause) == ((), LONGEST_PAUSE)


def test_long_message_costs_its_parts() -> None:
    """After a message of three parts the chat rests three seconds."""
    sent = sent_at([queued(1, 1, parts=3), queued(2, 1)])

    assert sent[1][0] - sent[0][0] >= 3


def test_long_message_is_not_overtaken() -> None:
    """A message of more parts than fit in now waits for its second, and others wait behind it."""
    pace = Pace(0.0)
    for place in range(20):
        pace.end(UnderWay(place + 100, 1), 0.0)

    step = next_step([queued(1, 1, urgent=True, parts=15), queued(2, 2)], pace, ROOM, (), 0.5)
    later = next_step([queued(1, 1, urgent=True, parts=15), queued(2, 2)], pace, ROOM, (), 1.0)

    assert (step.ready, step.pause) == ((), 0.5)
    assert [each.id for each in later.ready] == [1]
