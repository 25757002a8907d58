"""Receives every change of a number and of its messages, keeps the history and tells listeners."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

from supervisor.background_loop import BackgroundLoop
from supervisor.database.tables import Direction
from supervisor.errors import DatabaseError, DatabaseUnavailable
from supervisor.histogram import Histogram
from supervisor.journal.values import NONE
from supervisor.monitoring.alarms import Alarms
from supervisor.monitoring.feed import Feed, MessageCounts
from supervisor.monitoring.last_hour import LastHour
from supervisor.numbers.state import Cause, Change, State
from supervisor.store.history import PastState, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from supervisor.config import Config
    from supervisor.journal.values import Counts
    from supervisor.messages.traffic import MessageNews
    from supervisor.monitoring.last_hour import Minute
    from supervisor.nodes.node import Node
    from supervisor.store.history import StoredChange
    from supervisor.store.store import Store


MOST_AT_ONCE = 2000  # changes


class FleetEvents:
    """Reads what other nodes have stored since the last read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest: int | None = None
        self._own: set[int] = set()
        self._passed_on: set[str] = set()
        self._counts: dict[str, MessageCounts] = {}

    def remember_own(self, ids: Iterable[int]) -> None:
        """Leave out changes that this node has published already."""
        self._own.update(ids)

    def pass_on(self, number: str) -> None:
        """Read once more what is stored of a number that this node has given up."""
        self._passed_on.add(number)

    async def read(self) -> list[Change]:
        if self._newest is None:
            self._newest = await self._store.history.newest_id()
            return []
        passed_on, self._passed_on = self._passed_on, set()
        known = await self._store.history.list_newest(passed_on) if passed_on else ()
        found = await self._store.history.list_after(self._newest, MOST_AT_ONCE)
        new = [each for each in found if each.id not in self._own]
        if found:
            self._newest = found[-1].id
            self._own = {each for each in self._own if each > self._newest}
        return [_as_change(each) for each in (*known, *new)]

    async def read_counts(self) -> list[MessageCounts]:
        """Return the counts of messages that have changed, of any number."""
        counts = await self._store.journals.counts()
        found = [_message_counts(number, counts) for number in sorted({*self._counts, *counts})]
        changed = [each for each in found if self._counts.get(each.number) != each]
        self._counts = {each.number: each for each in found if each.number in counts}
        return changed


def _as_change(stored: StoredChange) -> Change:
    cause = Cause(stored.code, stored.detail or "") if stored.code else None
    return Change(stored.number, stored.client, stored.at.timestamp(), State(stored.state), cause)


def _message_counts(number: str, counts: Mapping[str, Counts]) -> MessageCounts:
    of_number = counts.get(number, NONE)
    return MessageCounts(number, of_number.backlog, of_number.dead)


PAUSE = 0.5  # seconds between two writes of what has changed; changes are shown within 2 s
FAILURE_PAUSE = 2.0  # seconds until a database that was away is asked again
COUNTED_EVERY = 2  # pauses between two counts of the messages of all nodes
HEARD_EVERY = 60  # pauses between two writes of when numbers were last heard
LAG_EVERY = 1.0  # seconds between two measurements of the event loop
MOST_UNWRITTEN = 20_000  # changes that are kept while the database is away

logger = logging.getLogger(__name__)


class Monitor:
    """Publishes changes at once, and stores them a moment later, many in one transaction.

    Nothing waits for it: no message depends on what is stored here.
    """

    def __init__(
        self,
        store: Store,
        config: Config,
        last_heard: Callable[[], Mapping[str, float]],
        node: Node | None = None,
    ) -> None:
        """With a node, publish the changes of the numbers of all nodes."""
        self._node = node
        self._fleet = FleetEvents(store)
        self._store = store
        self._last_heard = last_heard
        self._unwritten: deque[Change] = deque(maxlen=MOST_UNWRITTEN)
        self._moved: set[str] = set()
        self._counts: dict[str, MessageCounts] = {}
        self._heard: dict[str, float] = {}
        self._rounds = 0
        self._clients: dict[str, str] = {}
        self._loop = BackgroundLoop("monitor", self._write, PAUSE)
        self._is_on = False
        self.alarms = Alarms(store, config, node)
        self.feed = Feed()
        self.delivered: Counter[tuple[str, Direction]] = Counter()
        self.failures: Counter[str] = Counter()
        self.hours: defaultdict[str, LastHour] = defaultdict(LastHour)
        self.delays: dict[Direction, Histogram] = {each: Histogram() for each in Direction}
        self.lag = Histogram()
        self.commits = store.database.commits
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._is_on = True
        self._loop.start()
        self.alarms.start()
        self._watch = asyncio.create_task(_watch_lag(self.lag), name="event loop lag")

    async def stop(self) -> None:
        """Store what is left; changes after this are not recorded, because the gateway stops its numbers."""
        self._is_on = False
        if self._watch is not None:
            self._watch.cancel()
        await self._loop.stop()
        await self.alarms.stop()
        try:
            await self._write_changes()
            await self._write_heard()
        except DatabaseError as exc:
            logger.warning("the newest changes of numbers could not be stored: %s", exc)

    def receive_change(self, change: Change) -> None:
        if not self._is_on:
            return
        if change.client:
            self._clients[change.number] = change.client
        else:
            change = change._replace(client=self._clients.get(change.number, ""))
        self._unwritten.append(change)
        self._publish(change)

    def pass_on(self, number: str) -> None:
        """Publish from now on what the new node of a number stores of it."""
        self._fleet.pass_on(number)

    def receive_news(self, news: MessageNews) -> None:
        self._moved.add(news.number)
        self.failures[news.number] += news.failures
        self.alarms.add_dead(news.number, tuple(dead.code for dead in news.dead))
        for direction, seconds in news.delivered:
            self.delivered[news.number, direction] += 1
            self.hours[news.number].count(time.time(), direction, seconds)
            if seconds is not None:
                self.delays[direction].observe(seconds)

    def forget(self, number: str) -> None:
        """Forget a number that is erased."""
        for known in (self._counts, self._heard, self._clients, self.failures, self.hours):
            known.pop(number, None)
        # Otherwise a number that is created again would have a past.
        left = (each for each in self._unwritten if each.number != number)
        self._unwritten = deque(left, MOST_UNWRITTEN)
        for direction in Direction:
            self.delivered.pop((number, direction), None)

    def hours_now(self, now: float) -> dict[str, tuple[Minute, ...]]:
        """Return the minutes of the last hour in which numbers delivered something."""
        hours = {number: hour.minutes(now) for number, hour in self.hours.items()}
        return {number: minutes for number, minutes in hours.items() if minutes}

    async def _write(self) -> float:
        try:
            await self._write_changes()
            self._rounds += 1
            if self._node is None:
                await self._publish_counts()
            else:
                await self._read_fleet()
            if self._rounds % HEARD_EVERY == 0:
                await self._write_heard()
        except DatabaseUnavailable:  # which is logged once for everybody who needs it
            return FAILURE_PAUSE
        return PAUSE

    async def _write_changes(self) -> None:
        changes = list(self._unwritten)
        if not changes:
            return
        self._unwritten.clear()
        try:
            owner = self._node.incarnation if self._node else None
            past = [_as_past_state(each) for each in changes]
            ids = await self._store.history.append(past, owner)
        except DatabaseUnavailable:
            self._unwritten.extendleft(reversed(changes))
            raise
        if ids is None:
            self._unwritten.extendleft(reversed(changes))
        else:
            self._fleet.remember_own(ids)

    async def _read_fleet(self) -> None:
        """Publish what other nodes have stored; count messages only if anybody listens."""
        for change in await self._fleet.read():
            self._publish(change)
        if self.feed.has_listeners and self._rounds % COUNTED_EVERY == 0:
            for counts in await self._fleet.read_counts():
                self.feed.publish(counts)

    def _publish(self, change: Change) -> None:
        self.feed.publish(change)
        self.alarms.add_change(change)

    async def _publish_counts(self) -> None:
        """Count again where something moved, if anybody listens, and publish what has changed."""
        if not self._moved or not self.feed.has_listeners:
            return
        moved = frozenset(self._moved)
        counts = await self._store.journals.counts(moved)
        self._moved -= moved
        for number in sorted(moved):
            now = _message_counts(number, counts)
            if self._counts.get(number) != now:
                self._counts[number] = now
                self.feed.publish(now)

    async def _write_heard(self) -> None:
        heard = self._last_heard()
        newer = {number: at for number, at in heard.items() if self._heard.get(number) != at}
        await self._store.history.record_heard(newer)
        self._heard.update(newer)


def _as_past_state(change: Change) -> PastState:
    code, detail = change.cause or (None, None)
    return PastState(0, change.number, moment(change.at), change.state, code, detail or None)


async def _watch_lag(lag: Histogram) -> None:
    """Measure again and again how late the event loop wakes a task."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY
        await asyncio.sleep(LAG_EVERY)
        lag.observe(max(0.0, loop.time() - due))
