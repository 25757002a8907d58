"""What people did through us a short time ago, of which they need not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from teamflame.store.choices import Kind

OWN_WINDOW: Final = 600.0  # seconds for which one's own action explains a change


class OwnActions:
    """The changes that somebody made through the bot or the Mini App, by account, task and kind."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, str, Kind], float] = {}

    def remember(self, account: str, task: str, kinds: Iterable[Kind], now: float) -> None:
        old = [key for key, at in self._done.items() if at + OWN_WINDOW < now]
        for key in old:
            del self._done[key]
        for kind in kinds:
            self._done[account, task, kind] = now

    def explain(self, account: str, task: str, kind: Kind, now: float) -> bool:
        """Tell whether this person did it themselves a short time ago."""
        at = self._done.get((account, task, kind))
        return at is not None and now <= at + OWN_WINDOW
