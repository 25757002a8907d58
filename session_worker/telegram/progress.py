"""How far the account's updates have been stored without a hole."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_worker.protocol.contract import UpdateState


@dataclass(slots=True)
class _Batch:
    """Updates that arrived together, with the state that holds once all are stored."""

    state: UpdateState
    open: int


class Progress:
    """Acknowledgements in any order move the safe state forward in order."""

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._of: dict[int, _Batch] = {}
        self._next = 1
        self.safe: UpdateState | None = None
        self.reached: UpdateState | None = None

    @property
    def open(self) -> int:
        """How many updates are still unacknowledged."""
        return len(self._of)

    def arrived(self, state: UpdateState, count: int) -> range:
        """Give positions to ``count`` updates after all of which ``state`` holds."""
        positions = range(self._next, self._next + count)
        self._next += count
        self.reached = state
        if count == 0 and self._batches:
            self._batches[-1].state = state
            return positions
        batch = _Batch(state, count)
        self._batches.append(batch)
        self._of.update(dict.fromkeys(positions, batch))
        self._advance()
        return positions

    def acknowledge(self, position: int) -> None:
        """Mark one update as stored; a second time changes nothing."""
        batch = self._of.pop(position, None)
        if batch is not None:
            batch.open -= 1
            self._advance()

    def _advance(self) -> None:
        while self._batches and self._batches[0].open == 0:
            self.safe = self._batches.popleft().state
