"""What a node knows of the others, and what it decides by that: who is lost, and who runs how many numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class NodeState(StrEnum):
    """What the other nodes may expect of a node."""

    ALIVE = "alive"
    DRAINING = "draining"
    FENCED = "fenced"
    GONE = "gone"


class Owner(NamedTuple):
    """The node that runs a number, and the epoch of its ownership."""

    incarnation: str
    url: str
    epoch: int


class Placed(NamedTuple):
    """Who runs a number, and whether somebody should."""

    owner: Owner | None
    is_to_run: bool


class Peer(NamedTuple):
    """A live node as it is stored; `incarnation` is new whenever a node joins."""

    incarnation: str
    url: str
    state: NodeState
    beat: int
    since: datetime | None = None


class ListedNode(NamedTuple):
    """A node as it is shown to the operator."""

    node: str
    url: str
    state: NodeState
    memory: int
    since: datetime
    numbers: int


WORTH_A_MOVE = 2  # numbers that a node must have more than another
SPREAD = 0.1  # of a fair share; a smaller difference is left as it is


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Everything that a node knows at one moment about all nodes."""

    server: str
    peers: tuple[Peer, ...] = ()
    loads: Mapping[str, int] = field(default_factory=dict)
    """How many numbers each node has to run."""
    free: int = 0
    """How many numbers should run and have no owner."""
    to_run: frozenset[str] = frozenset()
    owned: frozenset[str] = frozenset()

    def numbers_to_claim(self, me: str, *, free_before: int) -> int:
        """Return how many numbers without an owner to claim, so that this node has its fair share.

        Numbers that were free at the previous look as well are claimed by whichever node comes
        first, because the node whose share they are may be dead.
        """
        alive = self._alive_loads()
        if me not in alive or not self.free:
            return 0
        fair = ceil((sum(self.loads.values()) + self.free) / len(alive))
        return min(self.free, max(fair - alive[me], free_before, 0))

    def heir_to_balance(self, me: str) -> str | None:
        """Return the node to which one of our numbers should move, if that is worth the move."""
        alive = self._alive_loads()
        if me not in alive:
            return None
        poorest = min(alive, key=lambda each: (alive[each], each))
        fair = sum(alive.values()) / len(alive)
        is_worth_it = alive[me] - alive[poorest] >= max(WORTH_A_MOVE, ceil(SPREAD * fair))
        return poorest if is_worth_it else None

    def heir_of_drained(self, me: str) -> str | None:
        """Return the other node that runs the fewest numbers, or None if ours is alone."""
        others = {each: load for each, load in self._alive_loads().items() if each != me}
        return min(others, key=lambda each: (others[each], each), default=None)

    def node_for_new(self, me: str) -> str | None:
        """Return the node that should start a new number; None means this one."""
        alive = self._alive_loads()
        heir = self.heir_of_drained(me)
        if heir is None or (me in alive and alive[me] <= alive[heir]):
            return None
        return heir

    @property
    def first(self) -> str | None:
        """The node that joined before the others; it speaks for all of them.

        All nodes that see the same peers choose the same one, whatever their own clocks say.
        """
        joined = [(peer.since, peer.incarnation) for peer in self.peers if peer.since is not None]
        return min(joined)[1] if joined else None

    def _alive_loads(self) -> dict[str, int]:
        alive = (peer.incarnation for peer in self.peers if peer.state is NodeState.ALIVE)
        return {each: self.loads.get(each, 0) for each in alive}


class Seen(NamedTuple):
    """A peer, and when we first saw it with this beat, by our own clock."""

    peer: Peer
    since: float


@dataclass(frozen=True, slots=True)
class Observations:
    """How long the beats of the others have not changed.

    No clock of another machine takes part: a beat that we have seen unchanged for some time is at
    least that old.
    """

    server: str = ""
    seen: Mapping[str, Seen] = field(default_factory=dict)

    def with_cluster(self, cluster: ClusterState, me: str, now: float) -> Self:
        """Add what was read now; what was read from another database server before does not count."""
        before = self.seen if cluster.server == self.server else {}
        seen = {}
        for peer in cluster.peers:
            known = before.get(peer.incarnation)
            is_unchanged = known is not None and known.peer.beat == peer.beat
            since = known.since if known is not None and is_unchanged else now
            if peer.incarnation != me:
                seen[peer.incarnation] = Seen(peer, since)
        return type(self)(cluster.server, seen)

    def lost(self, now: float, takeover: float) -> tuple[Peer, ...]:
        """Return the peers whose beats have not changed for so many seconds."""
        return tuple(each.peer for each in self.seen.values() if now - each.since >= takeover)

    def next_due(self, now: float, takeover: float) -> float:
        """Return in how many seconds a peer will be lost if none beats."""
        return max(
            0.0, takeover - max((now - each.since for each in self.seen.values()), default=0)
        )
