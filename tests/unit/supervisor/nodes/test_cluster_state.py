"""Decisions about nodes, as functions of what one node has seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.nodes.cluster_state import (
    ClusterState,
    NodeState,
    Observations,
    Peer,
)

LOADS = st.lists(st.integers(0, 40), min_size=2, max_size=5)


def peer(name: str, beat: int = 1, state: NodeState = NodeState.ALIVE) -> Peer:
    return Peer(name, f"http://{name}", state, beat)


def cluster(*peers: Peer, server: str = "one", free: int = 0, **loads: int) -> ClusterState:
    return ClusterState(server, peers or tuple(map(peer, loads)), loads, free)


def test_unchanged_beat_is_lost_after_takeover() -> None:
    """A node is lost once its beat was seen unchanged for NODE_TAKEOVER by our own clock."""
    seen = Observations().with_cluster(cluster(peer("a"), peer("me")), "me", 100.0)
    seen = seen.with_cluster(cluster(peer("a"), peer("me")), "me", 114.0)

    assert not seen.lost(114.9, 15.0)
    assert [each.incarnation for each in seen.lost(115.0, 15.0)] == ["a"]


def test_next_look_comes_when_a_node_may_be_lost() -> None:
    """Nobody looks again later than the moment at which the oldest cluster becomes a loss."""
    seen = Observations().with_cluster(cluster(peer("a"), peer("b")), "me", 100.0)
    assert Observations().next_due(100.0, 15.0) == 15.0
    seen = seen.with_cluster(cluster(peer("a"), peer("b", 2)), "me", 103.0)

    assert seen.next_due(113.5, 15.0) == 1.5
    assert seen.next_due(116.0, 15.0) == 0.0


def test_beat_begins_the_wait_again() -> None:
    """A node that beats is not lost, however late it is."""
    seen = Observations().with_cluster(cluster(peer("a", 1)), "me", 100.0)
    seen = seen.with_cluster(cluster(peer("a", 2)), "me", 114.9)

    assert not seen.lost(129.8, 15.0)
    assert seen.lost(129.9, 15.0)


def test_other_server_begins_the_wait_again() -> None:
    """What was seen on a server that was replaced or restarted does not count."""
    seen = Observations().with_cluster(cluster(peer("a"), server="one"), "me", 100.0)
    seen = seen.with_cluster(cluster(peer("a"), server="two"), "me", 114.9)

    assert not seen.lost(116.0, 15.0)


def test_nobody_finds_itself_lost() -> None:
    """A node leaves it to the others to judge it."""
    seen = Observations().with_cluster(cluster(peer("me")), "me", 0.0)

    assert not seen.lost(1000.0, 15.0)


def test_node_claims_its_share() -> None:
    """Two nodes share what is free; neither takes all of it."""
    assert cluster(free=10, a=0, b=0).numbers_to_claim("a", free_before=0) == 5
    assert cluster(free=10, a=0, b=10).numbers_to_claim("a", free_before=0) == 10
    assert cluster(free=10, a=10, b=0).numbers_to_claim("a", free_before=0) == 0


def test_what_stays_free_is_claimed_by_anybody() -> None:
    """The node whose share it is may have died at the same time."""
    assert cluster(free=3, a=10, b=0).numbers_to_claim("a", free_before=3) == 3


def test_drained_node_claims_nothing() -> None:
    """A node that gives its numbers away takes no others, and gets none."""
    seen = cluster(peer("a", state=NodeState.DRAINING), peer("b"), free=4, a=6, b=0)

    assert seen.numbers_to_claim("a", free_before=4) == 0
    assert seen.heir_of_drained("b") is None
    assert seen.node_for_new("a") == "b"


def test_new_number_starts_where_the_fewest_run() -> None:
    """The node that is asked keeps a new number unless another one runs fewer."""
    assert cluster(a=2, b=1, c=3).node_for_new("a") == "b"
    assert cluster(a=2, b=2).node_for_new("a") is None
    assert cluster(a=2).node_for_new("a") is None


@given(LOADS)
def test_balancing_ends(loads: list[int]) -> None:
    """Moves one by one come to an end, and then no node has much more than another."""
    names = {f"n{index}": load for index, load in enumerate(loads)}
    for _ in range(sum(loads) + 1):
        moves = [
            (each, ClusterState("one", tuple(map(peer, names)), names).heir_to_balance(each))
            for each in names
        ]
        moves = [(each, heir) for each, heir in moves if heir is not None]
        if not moves:
            break
        (giver, heir) = moves[0]
        names[giver] -= 1
        names[str(heir)] += 1
    else:
        raise AssertionError("it moves for ever")
    fair = sum(loads) / len(loads)
    assert max(names.values()) - min(names.values()) <= max(1, 0.1 * fair + 1)


def test_small_difference_is_left() -> None:
    """Moving a number costs its people a moment, so one number more is no reason."""
    assert cluster(a=3, b=2).heir_to_balance("a") is None
    assert cluster(a=4, b=2).heir_to_balance("a") == "b"
    assert cluster(a=105, b=100).heir_to_balance("a") is None
