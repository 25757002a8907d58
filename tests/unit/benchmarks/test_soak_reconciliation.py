"""The reconciliation of a soak notices each way in which messages can go wrong."""

from __future__ import annotations

from benchmarks.soak.reconciliation import Direction

WRITTEN = ["a", "b", "c"]


def test_what_arrived_as_written_is_right() -> None:
    """Messages that arrive once and in order are neither lost, twice nor out of order."""
    direction = Direction(WRITTEN, WRITTEN)

    assert (direction.lost, direction.twice, direction.out_of_order) == ([], [], [])


def test_a_message_that_did_not_arrive_is_lost() -> None:
    """A message that is nowhere is named as lost."""
    assert Direction(WRITTEN, ["a", "c"]).lost == ["b"]


def test_a_refused_message_is_not_lost() -> None:
    """A message that was given up with an error status is told apart from a lost one."""
    assert Direction(WRITTEN, ["a", "c"], refused=frozenset({"b"})).lost == []


def test_a_repeat_is_counted_each_time() -> None:
    """A message that arrived three times was twice there twice."""
    assert Direction(WRITTEN, ["a", "b", "b", "c", "b"]).twice == ["b", "b"]


def test_a_message_behind_a_later_one_is_out_of_order() -> None:
    """A message that arrives first behind one that was written after it is out of order."""
    assert Direction(WRITTEN, ["a", "c", "b"]).out_of_order == ["b"]


def test_a_repeat_behind_a_later_message_is_in_order() -> None:
    """Only the first arrival of a message counts for the order."""
    assert Direction(WRITTEN, ["a", "b", "a", "c"]).out_of_order == []
