"""How much was written while nobody was there to hear it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_worker.protocol.messages import GapFilled

if TYPE_CHECKING:
    from session_worker.telegram.connection.updates import CatchUp


@dataclass(slots=True)
class Absence:
    """Counts messages between the marks that the account sets into its updates."""

    _is_over: bool = True
    _found: int = 0

    def begin(self) -> None:
        """Count from here, unless an earlier absence has not been caught up with."""
        if self._is_over:
            self._is_over, self._found = False, 0

    def count(self, messages: int) -> None:
        self._found += messages

    def end(self, catch_up: CatchUp) -> GapFilled | None:
        """Make the receipt; there is none for an absence in which nothing was written."""
        self._is_over = True
        if not self._found:
            return None
        return GapFilled(
            pts_from=catch_up.pts_from,
            pts_to=catch_up.pts_to,
            began=catch_up.began,
            found=self._found,
            missing=0,
        )
