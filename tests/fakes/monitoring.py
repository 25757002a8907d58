"""What people are told by a gateway in memory: no past, no events, a Planfix that is right."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NoReturn

from supervisor.database.tables import Direction
from supervisor.histogram import Histogram
from supervisor.monitoring.alarms import Alarms
from supervisor.monitoring.feed import Feed, Listener, TooSlow
from supervisor.monitoring.last_hour import LastHour
from supervisor.monitoring.monitor import Monitor
from supervisor.monitoring.planfix_check import Checked, Draft, Finding, PlanfixCheck
from supervisor.store.history import History

if TYPE_CHECKING:
    from supervisor.store.history import PastState, StoredAlarm
    from tests.fakes.gateway import FakeGateway


class EndedListener(Listener):
    """A listener whose stream ends at once, so that a call for events has an end."""

    async def next(self) -> NoReturn:
        raise TooSlow


class EndedFeed(Feed):
    """A feed whose listeners hear nothing."""

    def listen(self, number: str | None = None, after: int | None = None) -> Listener:
        return EndedListener(set(), number)


class FakeMonitor(Monitor):
    """Watches nothing."""

    def __init__(self) -> None:
        self.feed = EndedFeed()
        self.alarms = FakeAlarms()
        self.delivered = Counter()
        self.failures = Counter()
        self.delays = {each: Histogram() for each in Direction}
        self.lag, self.commits = Histogram(), Histogram()
        self.hours = defaultdict(LastHour)


class FakeAlarms(Alarms):
    """Alarms that nobody sends."""

    def __init__(self) -> None:
        self.url, self.secret = "", "whsec_c2VjcmV0"
        self.stored: list[StoredAlarm] = []

    async def list_newest(self, limit: int) -> tuple[StoredAlarm, ...]:
        return tuple(self.stored[:limit])


class FakeHistory(History):
    """The past states of each number, newest first."""

    def __init__(self) -> None:
        self.of: dict[str, tuple[PastState, ...]] = {}

    async def list(self, number: str, before: int | None, limit: int) -> tuple[PastState, ...]:
        known = (each for each in self.of.get(number, ()) if before is None or each.id < before)
        return tuple(known)[:limit]


class FakePlanfixCheck(PlanfixCheck):
    """Finds every Planfix right."""

    def __init__(self, gateway: FakeGateway) -> None:
        self._gateway = gateway
        self.drafts: list[Draft] = []

    async def check(self, number: str, draft: Draft) -> Checked:
        await self._gateway.show(number)
        self.drafts.append(draft)
        return Checked(Finding.OK)
