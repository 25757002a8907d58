"""Whether updates arrive by themselves, judged by missed ones alone: silence proves nothing."""

from __future__ import annotations

from dataclasses import dataclass

MISSED_BEFORE_DEAF = 2  # once may be an update that was only late


@dataclass(slots=True)
class Hearing:
    """Counts how often something had to be fetched, with nothing heard in between."""

    _pushes: int = 0
    _missed: int = 0

    def is_deaf_after(self, pushes: int, missed: bool) -> bool:
        """Judge one comparison with Telegram, given how many pushes this line has had."""
        if pushes != self._pushes:
            self._pushes, self._missed = pushes, 0
        self._missed += missed
        return self._missed >= MISSED_BEFORE_DEAF
