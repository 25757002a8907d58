"""What the worker asks of the thing it runs, chosen by import path in the assignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from session_worker.protocol.contract import Assignment, Command, Event, SessionState, Trouble


class ConnectionLeftOpen(Exception):
    """The session is over, but a proxy may still hold its line to Telegram."""


class SessionEnded(Exception):
    """The session cannot go on until a person acts; the worker reports why, exits, is not restarted."""

    def __init__(self, state: SessionState, trouble: Trouble) -> None:
        super().__init__(f"{state}: {trouble.code} {trouble.detail}")
        self.state = state
        self.trouble = trouble


class SessionGained(Exception):
    """The number is logged in: its next worker runs on the session that was reported."""


class Outbox(Protocol):
    """The way up to the supervisor; events arrive in the order they were handed over."""

    def put(self, event: Event) -> None:
        """Hand an event over at once, for callers that cannot wait."""

    async def report(self, event: Event) -> None:
        """Hand an event over, then wait while the supervisor is slow to read."""


class Session(Protocol):
    """One number's life with Telegram."""

    @property
    def last_heard(self) -> float | None:
        """When the newest Telegram update came, in seconds since 1970."""

    @property
    def queue_depth(self) -> int:
        """How many updates wait to be handled."""

    async def run(self) -> None:
        """Connect, then serve until stopped; raise SessionEnded when only a person can help.

        A login raises SessionGained when it has succeeded. Anything else that is raised is a crash, and a return without `stop` is one too.
        """

    async def stop(self) -> None:
        """Disconnect from Telegram; called once, while `run` still runs, which then returns."""

    async def handle(self, command: Command) -> None:
        """Take a command that is not the worker's own, without waiting for its outcome."""


class WritePermit(Protocol):
    """The permission to write to Telegram for a number, which may end at any moment."""

    def held(self) -> bool: ...


class SessionFactory(Protocol):
    """Makes the session; called inside the running event loop, before anything is connected."""

    def __call__(self, assignment: Assignment, outbox: Outbox, lease: WritePermit) -> Session: ...
