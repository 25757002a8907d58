"""The dispatchers of all numbers."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from session_worker.inbound.progress import DELIVERED_LOG, SIZE, digest_of, digests_in
from session_worker.protocol.messages import Delivered, Drain, Incoming
from supervisor.database.tables import Direction
from supervisor.errors import GatewayError
from supervisor.file_access import OutsideRoot, open_inside
from supervisor.journal.pending import Excluded
from supervisor.messages.dispatcher import Dispatcher
from supervisor.messages.file_links import FileLinks
from supervisor.nodes.files import SharedFiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.journal.values import Counts
    from supervisor.messages.traffic import MessageNews, Watcher
    from supervisor.store.store import Store

DAY = 24 * 3600.0  # seconds
DRAIN_PATIENCE = 60.0  # seconds; longer than a call to Planfix without files may take
BRIEFLY = 5.0  # seconds; whoever changes a number, or ends the gateway, waits for this
MOST_HELD = 1024  # rows that a worker holds

logger = logging.getLogger(__name__)


class Dispatchers:
    """The dispatchers of all numbers; each is opened when it is first needed."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._language = config.language
        self._spool_of = config.spool_of
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

    async def drain(self, number: str, patience: float = DRAIN_PATIENCE) -> bool:
        """Let the worker deliver nothing more; return whether all that it delivered is recorded."""
        dispatcher = self._dispatchers.get(number)
        if dispatcher is None or not dispatcher.has_worker:
            return False
        dispatcher.tell_worker(Drain())
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await dispatcher.drained.wait()
        return dispatcher.has_worker and dispatcher.drained.is_set()

    async def drain_briefly(self, number: str) -> None:
        """Give messages on their way a moment to arrive, before their worker is replaced."""
        if number in self._dispatchers:
            incoming, *_ = self._dispatchers[number].hand_overs
            if incoming.in_flight.rows:
                await self.drain(number, BRIEFLY)

    async def record_noted(self, number: str) -> None:
        """Record what the last worker has delivered but could not report; no worker may run.

        Its notes stay in a file of this machine, so another one would deliver these messages again.
        """
        dispatcher = self._dispatchers.get(number)
        noted = await asyncio.to_thread(_read_notes, self._spool_of(number))
        if dispatcher is None or not noted:
            return
        try:
            waiting, _ = await dispatcher.journal.waiting(Direction.IN, Excluded(), MOST_HELD)
            delivered = [
                Delivered(row=each.row)
                for each in waiting
                if isinstance(each.body, Incoming) and digest_of(each.body) in noted
            ]
            if delivered:
                await dispatcher.record_events(delivered)
        except GatewayError as exc:  # the number must not wait for this
            logger.warning("number %s: what it delivered last is not recorded: %s", number, exc)

    def forget(self, number: str) -> None:
        """Forget a number that is erased, and the key of its messages."""
        self._erased += 1
        self._dispatchers.pop(number, None)


def _read_notes(spool: Path) -> frozenset[bytes]:
    try:
        opened = open_inside(spool, DELIVERED_LOG)
    except (OSError, OutsideRoot):
        return frozenset()  # it has never delivered anything here
    with os.fdopen(opened, "rb") as file:
        return digests_in(file.read(SIZE))
