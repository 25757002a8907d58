"""A gateway in memory: numbers without processes."""

from __future__ import annotations

import hmac
import secrets
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from supervisor.errors import (
    DatabaseUnavailable,
    GatewayError,
    NumberExists,
    NumberUnknown,
    StandingBy,
)
from supervisor.gateway import NO_SESSION, Created, Gateway, Readiness
from supervisor.login.session_transfer import SessionTransfer
from supervisor.nodes.cluster_state import ListedNode, NodeState
from supervisor.numbers.state import State, WorkerHealth
from supervisor.numbers.token_cache import TokenCache
from supervisor.numbers.view import View
from supervisor.ownership import Takeover
from supervisor.processes.page_merging import PageMerging
from supervisor.processes.worker_log import WorkerLog
from supervisor.store.history import AuditLog
from supervisor.store.keys import Keys
from supervisor.store.values import AuditEntry
from tests.fakes.bots import FakeBots
from tests.fakes.logins import FakeLinks, FakeLogins
from tests.fakes.messages import FakeFiles, FakeMessages
from tests.fakes.monitoring import FakeHistory, FakeMonitor, FakePlanfixCheck
from tests.fakes.notifications import FakeNotifications, FakePlanfixEvents

if TYPE_CHECKING:
    from supervisor.login.session_transfer import SessionSource
    from supervisor.store.values import Changes, NewNumber

WORKER = WorkerHealth(
    pid=4711,
    uptime=1.5,
    memory=9_000_000,
    private=5_000_000,
    merged=6_000_000,
    loop_lag=0.25,
    queue_depth=7,
)


def view(number: str, client: str, **fields: Any) -> View:
    known: dict[str, Any] = {
        "state": State.ONLINE,
        "since": datetime(2026, 1, 1, tzinfo=UTC),
        "restarts": 0,
        "last_error": None,
        "worker": WORKER,
    }
    return View(number=number, client=client, **known | fields)


async def _list_one_node() -> tuple[ListedNode, ...]:
    return (
        ListedNode("single", "http://127.0.0.1:8080", NodeState.ALIVE, 0, datetime.now(UTC), 0),
    )


class FakeTakeover(Takeover):
    """Owns the data unless it is told that another gateway does."""

    def __init__(self) -> None:
        self.is_on_standby = False

    def require(self) -> None:
        if self.is_on_standby:
            raise StandingBy("another gateway runs here")


class FakeGateway(Gateway):
    """Keeps numbers in a dict, remembers what was asked and raises what it is told to."""

    takeover: FakeTakeover
    messages: FakeMessages
    files: FakeFiles
    notifications: FakeNotifications
    planfix_events: FakePlanfixEvents
    bots: FakeBots
    logins: FakeLogins
    links: FakeLinks
    tokens: FakeTokens
    audit: FakeAudit
    keys: FakeKeys
    monitor: FakeMonitor
    history: FakeHistory
    planfix_check: FakePlanfixCheck

    def __init__(self) -> None:
        self.views: dict[str, View] = {}
        self.waits: list[float] = []
        self.created: list[NewNumber] = []
        self.changed: list[Changes] = []
        self.sources: list[SessionSource] = []
        self.is_ready = Readiness(ok=True)
        self.takeover = FakeTakeover()
        self.merging = PageMerging.ON
        self.broken: Exception | None = None
        self.state_of_new = State.ONLINE
        self.messages = FakeMessages()
        self.files = FakeFiles()
        self.notifications = FakeNotifications()
        self.planfix_events = FakePlanfixEvents()
        self.bots = FakeBots(self)
        self.logins = FakeLogins()
        self.links = FakeLinks()
        self.tokens = FakeTokens(self)
        self.audit = FakeAudit(self)
        self.keys = FakeKeys()
        self.sessions = FakeSessions(self)
        self.monitor = FakeMonitor()
        self.history = FakeHistory()
        self.planfix_check = FakePlanfixCheck(self)
        self.nodes = _list_one_node
        self.logs: defaultdict[str, WorkerLog] = defaultdict(WorkerLog)
        self.log_of = lambda number: self.logs[number]
        self.node = None

    async def __aenter__(self) -> Self:
        if isinstance(self.broken, GatewayError):
            raise self.broken
        return self

    async def __aexit__(self, *_: object) -> None:
        self.views.clear()

    async def create(self, new: NewNumber, session: SessionSource = NO_SESSION) -> Created:
        self.fail_if_broken()
        held = self.views.get(new.number)
        if held and held.state is not State.STOPPED:
            raise NumberExists
        self.created.append(new)
        token = self.tokens.of[new.number] = secrets.token_urlsafe(32)
        self.views[new.number] = view(new.number, new.client, state=self.state_of_new)
        return Created(token, self.views[new.number])

    async def show(self, number: str) -> View:
        self.fail_if_broken()
        if number not in self.views:
            raise NumberUnknown
        return self.views[number]

    async def change(
        self, number: str, changes: Changes, session: SessionSource = NO_SESSION
    ) -> None:
        held = await self.show(number)
        self.changed.append(changes)
        self.sources.append(session)
        client = changes.client or held.client
        self.views[number] = replace(held, client=client, state=State.ONLINE)

    async def stop(self, number: str, *, purge: bool = False) -> bool:
        held = await self.show(number)
        self.views[number] = replace(held, state=State.STOPPED, worker=None)
        if purge:
            del self.views[number], self.tokens.of[number]
        return held.state is not State.STOPPED

    async def restart(self, number: str) -> None:
        held = await self.show(number)
        self.views[number] = replace(held, restarts=held.restarts + 1)

    async def numbers(
        self, client: str | None = None, state: State | None = None, *, are_bots: bool = False
    ) -> tuple[View, ...]:
        self.fail_if_broken()
        if are_bots:
            return ()
        of_client = (held for held in self.views.values() if client in {None, held.client})
        return tuple(held for held in of_client if state in {None, held.state})

    async def wait_settled(self, number: str, seconds: float) -> View:
        self.waits.append(seconds)
        return await self.show(number)

    async def readiness(self) -> Readiness:
        return self.is_ready

    async def page_merging(self) -> PageMerging:
        return self.merging

    def fail_if_broken(self) -> None:
        if self.broken:
            raise self.broken


class FakeTokens(TokenCache):
    """Knows the token of each number of a gateway in memory."""

    def __init__(self, gateway: FakeGateway) -> None:
        self._gateway = gateway
        self.of: dict[str, str] = {}

    async def opens(self, number: str, token: str) -> bool:
        self._gateway.fail_if_broken()
        return hmac.compare_digest(self.of.get(number, "").encode() or b"-", token.encode())

    async def number_of(self, token: str, channel: str | None = None) -> str | None:
        self._gateway.fail_if_broken()
        opened = {known: number for number, known in self.of.items()}
        own = opened.get(token)
        if own is None or channel in {None, own}:
            return own
        return channel if self._planfix_of(own) == self._planfix_of(channel) else None

    def _planfix_of(self, number: str | None) -> tuple[str, str] | None:
        """Return the client and its Planfix address with which the number was created last."""
        of = {new.number: (new.client, new.url_planfix) for new in self._gateway.created}
        return of[number] if number in self.of else None


class FakeAudit(AuditLog):
    """An audit log in memory."""

    def __init__(self, gateway: FakeGateway) -> None:
        self._gateway = gateway
        self.entries: list[AuditEntry] = []
        self.is_away = False

    async def append(
        self, who: str, action: str, number: str | None = None, detail: str | None = None
    ) -> None:
        self._gateway.fail_if_broken()
        if self.is_away:
            raise DatabaseUnavailable
        at = datetime.now(UTC)
        entry = AuditEntry(len(self.entries) + 1, at, who, action, number, detail)
        self.entries.append(entry)

    async def list(
        self, number: str | None = None, before: int | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        self._gateway.fail_if_broken()
        known = (entry for entry in reversed(self.entries) if number in {None, entry.number})
        return tuple(entry for entry in known if before is None or entry.id < before)[:limit]


class FakeKeys(Keys):
    """Some uses of older keys."""

    def __init__(self) -> None:
        self.old = 0

    async def count_old(self) -> int:
        return self.old


class FakeSessions(SessionTransfer):
    """Exports one session for every number."""

    def __init__(self, gateway: FakeGateway) -> None:
        self._gateway = gateway

    async def export(self, number: str) -> str:
        await self._gateway.show(number)
        return "1string-session"
