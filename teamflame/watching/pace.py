"""How often a board is looked at; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """The pauses between two looks at a board, in seconds."""

    open: float = 15.0  # somebody has the board open in the Mini App, or works on it
    quiet: float = 60.0
    longest: float = 120.0  # nothing has happened for a while
    while_failing: float = 600.0
    spread: float = 0.15
    open_for: float = 60.0  # after the Mini App has asked for the board
    lively_for: int = 40  # looks without any change: ten minutes
    quiet_after: int = 70  # looks without any change

    def pause(self, *, is_open: bool, unchanged: int, failures: int, jitter: float) -> float:
        """Choose the next pause; `jitter` from 0 to 1 keeps boards from being asked all at once."""
        if failures:
            full = min(self.while_failing, self.quiet * 2.0 ** min(failures - 1, 10))
        elif is_open or unchanged < self.lively_for:
            full = self.open
        else:
            full = self.quiet if unchanged < self.quiet_after else self.longest
        return full * (1.0 - self.spread + 2 * self.spread * jitter)
