"""What happened to the numbers of other nodes, as their history tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.journal.values import NONE
from supervisor.monitoring.feed import MessageCounts
from supervisor.numbers.state import Cause, Change, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supervisor.store.history import Told
    from supervisor.store.store import Store

MOST_AT_ONCE = 2000  # changes


class FleetEvents:
    """Reads what other nodes have stored since it was asked the last time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._newest: int | None = None
        self._own: set[int] = set()
        self._passed_on: set[str] = set()
        self._counts: dict[str, MessageCounts] = {}

    def remember_own(self, ids: Iterable[int]) -> None:
        """Leave out changes that this node has told already."""
        self._own.update(ids)

    def pass_on(self, number: str) -> None:
        """Tell once more what is known of a number that this node has given up."""
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
        found = [
            MessageCounts(number, of.backlog, of.dead)
            for number in sorted({*self._counts, *counts})
            if (of := counts.get(number, NONE)) is not None
        ]
        changed = [each for each in found if self._counts.get(each.number) != each]
        self._counts = {each.number: each for each in found if each.number in counts}
        return changed


def _as_change(told: Told) -> Change:
    cause = Cause(told.code, told.detail or "") if told.code else None
    return Change(told.number, told.client, told.at.timestamp(), State(told.state), cause)
