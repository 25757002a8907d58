"""Telegram's limits are kept, single messages go first, and each chat keeps its order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from supervisor.notifications.rates import LONGEST_PAUSE, Pace, expired, next_step
from supervisor.store.notifications import Queued

ROOM = 1000


def queued(number: int, peer_id: int, *, urgent: bool = False, parts: int = 1) -> Queued:
    return Queued(number, peer_id, parts, urgent, None)


def sent_at(waiting: list[Queued], seconds: float) -> list[tuple[float, Queued]]:
    """Let the time pass, and return when each was handed over."""
    pace, now, sent = Pace(0.0), 0.0, list[tuple[float, Queued]]()
    while waiting and now < seconds:
        step = next_step(waiting, pace, ROOM, (), now)
        sent += [(now, each) for each in step.ready]
        waiting = [each for each in waiting if each not in step.ready]
        now += max(step.pause, 0.001)
    return sent


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200))
def test_limits_are_kept(peers: list[int]) -> None:
    """In no second are there more than thirty messages, nor more than one to the same person."""
    sent = sent_at([queued(place, peer) for place, peer in enumerate(peers)], 300)

    assert len(sent) == len(peers)
    for start, _ in sent:
        within = [each for at, each in sent if start <= at < start + 1]
        assert len(within) <= 30
        assert max(Counter(each.peer_id for each in within).values()) == 1


def test_limit_of_a_group_is_kept() -> None:
    """A group gets no more than twenty messages in any minute."""
    sent = sent_at([queued(place, -5) for place in range(60)], 300)

    assert len(sent) == 60
    assert all(later[0] - first[0] >= 60 for first, later in zip(sent, sent[20:], strict=False))


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=50))
def test_order_of_a_chat_is_kept(messages: list[tuple[int, bool]]) -> None:
    """Whatever is urgent, each chat gets its messages in the order in which they were accepted."""
    urgent = {peer for peer, is_urgent in messages if is_urgent}
    waiting = [
        queued(place, peer, urgent=peer in urgent) for place, (peer, _) in enumerate(messages)
    ]

    sent = [each for _, each in sent_at(waiting, 300)]

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

    step = next_step([queued(2, 2), queued(3, 3)], Pace(0.0), ROOM, {2}, 10.0)

    assert expired([late, queued(2, 2)], 10.0) == {1}
    assert expired([late], 8.0) == frozenset()
    assert [each.id for each in step.ready] == [3]


def test_full_room_waits() -> None:
    """Nothing is handed over while as many are on their way as may be."""
    step = next_step([queued(1, 1)], Pace(0.0), 0, (), 0.0)

    assert (step.ready, step.pause) == ((), LONGEST_PAUSE)


def test_long_message_costs_its_parts() -> None:
    """After a message of three parts the chat rests three seconds."""
    sent = sent_at([queued(1, 1, parts=3), queued(2, 1)], 60)

    assert sent[1][0] - sent[0][0] >= 3
