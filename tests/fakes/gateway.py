"""A gateway in memory: numbers without processes."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from supervisor.errors import (
    GatewayError,
    NumberExists,
    NumberUnknown,
)
from supervisor.gateway import Created, Readiness
from supervisor.numbers.state import State, WorkerHealth
from supervisor.numbers.view import View
from supervisor.processes.page_merging import PageMerging
from supervisor.store.values import AuditEntry
from tests.fakes.logins import FakeLinks, FakeLogins
from tests.fakes.mail import FakeMail

if TYPE_CHECKING:
    from types import TracebackType

    from api.numbers.models import ChangedNumber, NewNumber

WORKER = WorkerHealth(
    pid=4711, uptime=1.5, memory=9_000_000, merged=6_000_000, loop_lag=0.25, queue_depth=7
)


def view(number: str, name: str, **fields: Any) -> View:
    known: dict[str, Any] = {
        "state": State.ONLINE,
        "since": datetime(2026, 1, 1, tzinfo=UTC),
        "restarts": 0,
        "last_error": None,
        "worker": WORKER,
    }
    return View(number=number, name=name, **known | fields)


class FakeGateway(FakeMail):
    """Keeps numbers in a dict, remembers what was asked, raises what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.views: dict[str, View] = {}
        self.tokens: dict[str, str] = {}
        self.changed: list[ChangedNumber] = []
        self.drafts: list[NewNumber] = []
        self.is_ready = Readiness(ok=True)
        self.old_keys = 0
        self.merging = PageMerging.ON
        self.broken: Exception | None = None
        self.state_of_new = State.ONLINE
        self.logins = FakeLogins()
        self.links = FakeLinks()
        self.audit: list[AuditEntry] = []

    async def __aenter__(self) -> Self:
        if isinstance(self.broken, GatewayError):
            raise self.broken
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.views.clear()

    async def create(self, draft: NewNumber) -> Created:
        self._fail_if_broken()
        held = self.views.get(draft.number)
        if held and held.state is not State.STOPPED:
            raise NumberExists
        self.drafts.append(draft)
        self.tokens[draft.number] = secrets.token_urlsafe(32)
        self.views[draft.number] = view(draft.number, draft.name, state=self.state_of_new)
        return Created(self.tokens[draft.number], self.views[draft.number])

    async def show(self, number: str) -> View:
        self._fail_if_broken()
        if number not in self.views:
            raise NumberUnknown
        return self.views[number]

    async def change(self, number: str, changes: ChangedNumber, wait: float) -> View:
        held = await self.show(number)
        self.changed.append(changes)
        self.views[number] = replace(held, name=changes.name or held.name, state=State.ONLINE)
        return self.views[number]

    async def stop(self, number: str, *, purge: bool = False) -> bool:
        held = await self.show(number)
        self.views[number] = replace(held, state=State.STOPPED, worker=None)
        if purge:
            del self.views[number], self.tokens[number]
        return held.state is not State.STOPPED

    async def restart(self, number: str) -> None:
        held = await self.show(number)
        self.views[number] = replace(held, restarts=held.restarts + 1)

    async def numbers(self, client: str | None = None) -> tuple[View, ...]:
        self._fail_if_broken()
        return tuple(held for held in self.views.values() if client in {None, held.name})

    async def authorize(self, number: str, token: str) -> bool:
        self._fail_if_broken()
        return hmac.compare_digest(self.tokens.get(number, "").encode() or b"-", token.encode())

    async def number_of(self, token: str, channel: str | None = None) -> str | None:
        self._fail_if_broken()
        opened = {known: number for number, known in self.tokens.items()}
        own = opened.get(token)
        if own is None or channel in {None, own}:
            return own
        return channel if self._planfix_of(own) == self._planfix_of(channel) else None

    def _planfix_of(self, number: str | None) -> tuple[str, str] | None:
        """Tell the client with its Planfix, as the number was started; the newest draft counts."""
        of = {draft.number: (draft.name, draft.url_planfix) for draft in self.drafts}
        return of[number] if number in self.tokens else None

    async def wait_settled(self, number: str, seconds: float) -> View:
        return await self.show(number)

    async def readiness(self) -> Readiness:
        return self.is_ready

    async def page_merging(self) -> PageMerging:
        return self.merging

    async def count_old_keys(self) -> int:
        return self.old_keys

    async def export_session(self, number: str) -> str:
        await self.show(number)
        return "1string-session"

    async def record(self, who: str, action: str, number: str, detail: str | None = None) -> None:
        self._fail_if_broken()
        at = datetime.now(UTC)
        self.audit.append(AuditEntry(len(self.audit) + 1, at, who, action, number, detail))

    async def list_audit(
        self, number: str | None, before: int | None, limit: int
    ) -> tuple[AuditEntry, ...]:
        self._fail_if_broken()
        known = (entry for entry in reversed(self.audit) if number in {None, entry.number})
        return tuple(entry for entry in known if before is None or entry.id < before)[:limit]

    def _fail_if_broken(self) -> None:
        if self.broken:
            raise self.broken
