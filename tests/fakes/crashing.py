"""The real session of a number that, once, ends or halts at the point a plan in its spool names."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from session_worker.backoff import Backoff
from session_worker.number import NumberSession
from session_worker.planfix.circuit_breaker import CircuitBreaker
from session_worker.planfix.client import PlanfixTimeouts
from session_worker.protocol.pipe_fields import PipeValue
from session_worker.telegram.connection.connection import ConnectionTiming

if TYPE_CHECKING:
    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment, Command, Event
    from session_worker.session import Outbox

PLAN = "crash.json"
QUICK = ConnectionTiming(
    poll_interval=2.0,
    push_grace=0.2,
    close_limit=1.0,
    reconnection=Backoff(first=0.05, longest=0.3),
)
BACKOFF = Backoff(first=0.05, longest=0.3)
PATIENCE = PlanfixTimeouts(connect=30.0, answer=30.0, answer_with_files=60.0)


class Plan(PipeValue):
    """Where to die: ``kind`` is that of an event on its way up, or of a command on its way down.

    A worker that ``halts`` is to be killed from outside, with its whole gateway, which it could not
    do itself. So many of a kind are let pass before, as ``let_pass`` says.
    """

    when: Literal["before", "after"]
    kind: str
    halts: bool = False
    let_pass: int = 0


class Fate:
    """Carries out the plan, which is gone with that."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._passed = 0

    def strike(self, when: str, kind: str) -> None:
        if not self._path.exists():
            self._passed = 0
            return
        plan = Plan.model_validate_json(self._path.read_bytes())
        if (plan.when, plan.kind) != (when, kind):
            return
        if self._passed < plan.let_pass:
            self._passed += 1
            return
        self._path.unlink()
        while plan.halts:
            signal.pause()
        os.kill(os.getpid(), signal.SIGKILL)


class CrashingOutbox:
    """Hands events up, unless the plan wants it otherwise."""

    def __init__(self, outbox: Outbox, fate: Fate) -> None:
        self._outbox = outbox
        self._fate = fate

    def put(self, event: Event) -> None:
        self._fate.strike("before", event.kind)
        self._outbox.put(event)
        self._fate.strike("after", event.kind)

    async def report(self, event: Event) -> None:
        self._fate.strike("before", event.kind)
        await self._outbox.report(event)
        self._fate.strike("after", event.kind)


class CrashingNumber:
    """A number in a hurry, so that tests need not wait, with a fate."""

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        self._fate = Fate(Path(assignment.spool) / PLAN)
        self._number = NumberSession(
            assignment,
            CrashingOutbox(outbox, self._fate),
            lease,
            timing=QUICK,
            circuit_breaker=CircuitBreaker(BACKOFF),
            timeouts=PATIENCE,
        )

    @property
    def last_heard(self) -> float | None:
        return self._number.last_heard

    @property
    def queue_depth(self) -> int:
        return self._number.queue_depth

    async def run(self) -> None:
        await self._number.run()

    async def stop(self) -> None:
        await self._number.stop()

    async def handle(self, command: Command) -> None:
        self._fate.strike("before", command.kind)
        await self._number.handle(command)
        self._fate.strike("after", command.kind)
