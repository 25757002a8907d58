"""The dispatchers of all numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.messages.dispatcher import Dispatcher
from supervisor.messages.file_links import FileLinks
from supervisor.nodes.files import SharedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from supervisor.config import Config
    from supervisor.journal.values import Counts
    from supervisor.messages.traffic import MessageNews, Watcher
    from supervisor.store.store import Store

DAY = 24 * 3600.0  # seconds


class Dispatchers:
    """The dispatchers of all numbers; each is opened when it is first needed."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._language = config.language
        self._dispatchers: dict[str, Dispatcher] = {}
        self._erased = 0
        self._is_shared = config.node is not None
        self.files = SharedFiles(store, config)
        self.is_kept: Callable[[str], bool] = lambda _number: True
        """Whether this node runs the number; otherwise nothing of it is remembered here."""
        self.watcher: Watcher | None = None
        # A link is valid for as long as its file is kept.
        self.report: Callable[[MessageNews], None] = lambda _news: None
        self.links = FileLinks(store.link_keys, config.public_url, config.retention_days * DAY)

    async def of(self, number: str) -> Dispatcher:
        while number not in self._dispatchers:
            erased = self._erased
            journal = await self._store.journals.open(number)
            dispatcher = Dispatcher(
                *(journal, self.links, self._language),
                watcher=self.watcher,
                is_shared=self._is_shared,
            )
            if not self.is_kept(number):
                return dispatcher
            if erased == self._erased:  # otherwise the journal may use the key of an erased number
                dispatcher.traffic.report = self.report
                self._dispatchers.setdefault(number, dispatcher)
        return self._dispatchers[number]

    def reload(self, number: str, waiting: int | None = None) -> None:
        """See `HandOver.reload_if_behind`; messages of employees are meant."""
        if number in self._dispatchers:
            _, outgoing, _ = self._dispatchers[number].hand_overs
            outgoing.reload_if_behind(waiting)

    def wake(self, number: str) -> None:
        """Hand over what another node stored for a number that runs here."""
        self.reload(number)
        if self.watcher is not None:
            self.watcher.wake(number)

    async def look_for_messages(self, counts: Mapping[str, Counts]) -> None:
        """Hand over what waits and was not announced."""
        for number, count in counts.items():
            self.reload(number, count.backlog.out)
        if self.watcher is not None:
            await self.watcher.look_for_work()

    def forget(self, number: str) -> None:
        """Forget a number that is erased, and the key of its messages."""
        self._erased += 1
        self._dispatchers.pop(number, None)
