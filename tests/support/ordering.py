"""The order of a test run: what shares servers stays together, and what takes long begins first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Roughly how many seconds a test of these folders takes; a test of the others takes less than one.
SLOW = {
    "tests/acceptance/api": 9.0,
    "tests/acceptance/bots": 5.0,
    "tests/acceptance/browser": 7.0,
    "tests/acceptance/login": 3.0,
    "tests/acceptance/messages": 8.0,
    "tests/acceptance/nodes": 12.0,
    "tests/acceptance/notifications": 3.0,
    "tests/acceptance/sandbox": 10.0,
    "tests/acceptance/secrecy": 4.0,
    "tests/acceptance/teamflame": 2.0,
    "tests/process/supervisor": 2.0,
    "tests/process/workers": 4.0,
}


class Placed(Protocol):
    """What lies in a file."""

    @property
    def path(self) -> Path: ...


Item = TypeVar("Item", bound=Placed)


def dealt(items: Sequence[Item], top: Path, workers: int) -> list[Item]:
    """Give each worker about as much of what is slow, whole folders of it, and the rest after that.

    A worker gets a run of neighbours, as long as the others' (xdist's `worksteal`); later, who has
    nothing left takes from the end of what another one has.
    """
    slow: defaultdict[str, list[Item]] = defaultdict(list)
    rest: list[Item] = []
    for item in items:
        folder = item.path.parent.relative_to(top).as_posix()
        (slow[folder] if folder in SLOW else rest).append(item)
    shares: list[list[Item]] = [[] for _ in range(workers)]
    taken = [0.0] * workers
    for folder in sorted(slow, key=lambda each: -SLOW[each] * len(slow[each])):
        least = taken.index(min(taken))
        shares[least] += slow[folder]
        taken[least] += SLOW[folder] * len(slow[folder])
    return _filled_up(shares, rest)


def _filled_up(shares: list[list[Item]], rest: list[Item]) -> list[Item]:
    """Lengthen each share to the run that xdist cuts off for its worker."""
    ordered: list[Item] = []
    left = len(rest) + sum(map(len, shares))
    for place, share in enumerate(shares):
        missing = max(0, left // (len(shares) - place) - len(share))
        ordered += [*share, *rest[:missing]]
        rest = rest[missing:]
        left -= len(share) + min(missing, left)
    return [*ordered, *rest]
