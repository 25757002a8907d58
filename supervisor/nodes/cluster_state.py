"""What a node knows of the others: who they are, what they run, and what nobody runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

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
