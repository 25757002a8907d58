"""The desks of all numbers that had something to do since the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.messages.dispatcher import Desk
from supervisor.messages.file_links import FileLinks

if TYPE_CHECKING:
    from supervisor.config import Config
    from supervisor.store.store import Store

DAY = 24 * 3600.0  # seconds


class Desks:
    """Opens a desk when it is asked for the first time."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._language = config.language
        self._desks: dict[str, Desk] = {}
        self._erased = 0
        # A link lasts as long as its file is kept.
        self.links = FileLinks(store.link_keys, config.public_url, config.retention_days * DAY)

    async def of(self, number: str) -> Desk:
        while number not in self._desks:
            erased = self._erased
            journal = await self._store.journals.open(number)
            if erased == self._erased:  # otherwise the key may be that of the number before
                self._desks.setdefault(number, Desk(journal, self.links, self._language))
        return self._desks[number]

    def forget(self, number: str) -> None:
        """Forget a number that is erased, with the key to its messages."""
        self._erased += 1
        self._desks.pop(number, None)
