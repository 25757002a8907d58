"""The safe place in the updates moves in order, whatever the order of acknowledgement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from session_worker.protocol.contract import UpdateState
from session_worker.telegram.connection.updates import Progress


def at(pts: int) -> UpdateState:
    return UpdateState(pts=pts)


def test_nothing_is_safe_before_it_is_acknowledged() -> None:
    """A place is safe only once all that leads to it is stored."""
    progress = Progress()

    first, second = progress.add(at(3), 2)
    progress.acknowledge(second)

    assert progress.safe is None
    progress.acknowledge(first)
    assert progress.safe == at(3)


def test_a_later_batch_waits_for_an_earlier_one() -> None:
    """What is stored early does not carry the place over what is not."""
    progress = Progress()
    (first,) = progress.add(at(1), 1)
    (second,) = progress.add(at(2), 1)

    progress.acknowledge(second)

    assert progress.safe is None
    progress.acknowledge(first)
    assert progress.safe == at(2)


def test_an_empty_batch_is_safe_when_nothing_is_open() -> None:
    """A place reached without updates, as after a message of our own, needs no acknowledgement."""
    progress = Progress()

    progress.add(at(5), 0)

    assert progress.safe == at(5)
    assert progress.reached == at(5)


def test_an_empty_batch_waits_for_what_is_open() -> None:
    """A place reached without updates is not safe before the updates in front of it."""
    progress = Progress()
    (position,) = progress.add(at(1), 1)

    progress.add(at(2), 0)

    assert progress.safe is None
    progress.acknowledge(position)
    assert progress.safe == at(2)


def test_a_second_acknowledgement_changes_nothing() -> None:
    """Acknowledging twice does not count for another update."""
    progress = Progress()
    first, _ = progress.add(at(2), 2)

    progress.acknowledge(first)
    progress.acknowledge(first)

    assert progress.safe is None


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_safe_place_never_passes_an_open_update(sizes: list[int], random: object) -> None:
    """At any time the safe place is the end of the longest prefix of stored batches."""
    progress = Progress()
    batches = [(pts, progress.add(at(pts), size)) for pts, size in enumerate(sizes, start=1)]
    positions = [position for _, batch in batches for position in batch]
    random.shuffle(positions)  # type: ignore[attr-defined]  # hypothesis gives a Random
    stored: set[int] = set()

    for position in positions:
        progress.acknowledge(position)
        stored.add(position)

        expected = None
        for pts, batch in batches:
            if not stored.issuperset(batch):
                break
            expected = at(pts)
        assert progress.safe == expected
    assert progress.safe == at(len(sizes))
    assert progress.open == 0
