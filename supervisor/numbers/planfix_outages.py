"""The Planfix accounts that are away, each looked for by one of the numbers that wait for it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from session_worker.protocol.contract import WatchPlanfix

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[WatchPlanfix], None]

logger = logging.getLogger(__name__)


class PlanfixOutages:
    """Lets one number of an account look often, the others when that one has found it back."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Tell]] = {}

    def note(self, url: str, number: str, tell: Tell | None) -> None:
        """Hear from a number that its Planfix is away, with the way to tell it more, or is back."""
        if tell is None:
            self.end(url, number)
        else:
            self.begin(url, number, tell)

    def begin(self, url: str, number: str, tell: Tell) -> None:
        """Note that a number can't reach its Planfix; tell it whether another one looks."""
        waiting = self._waiting.setdefault(url, {})
        if not waiting:
            logger.warning("Planfix at %s does not answer, messages wait", urlsplit(url).hostname)
        waiting[number] = tell
        tell(WatchPlanfix(is_lookout=next(iter(waiting)) == number))

    def end(self, url: str, number: str) -> None:
        """Let all try that wait for an account of which one number has found that it is back."""
        waiting = self._waiting.pop(url, {})
        if waiting:
            host, count = urlsplit(url).hostname, len(waiting)
            logger.warning("Planfix at %s answers again, %d numbers waited", host, count)
        waiting.pop(number, None)
        for tell in waiting.values():
            tell(WatchPlanfix(is_lookout=True, try_now=True))

    def leave(self, url: str, number: str) -> None:
        """Forget a number whose worker ended; if it was the one that looked, another does."""
        waiting = self._waiting.get(url, {})
        was_lookout = next(iter(waiting), None) == number
        waiting.pop(number, None)
        if not waiting:
            self._waiting.pop(url, None)
        elif was_lookout:
            next(iter(waiting.values()))(WatchPlanfix(is_lookout=True))
