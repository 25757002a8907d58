"""The interface between a worker and the session it runs, which the assignment names by import path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from session_worker.protocol.contract import Assignment, Command, Event, SessionState, Trouble


class ConnectionLeftOpen(Exception):
    """The session is over, but a proxy may still hold its connection to Telegram open."""


class SessionEnded(Exception):
    """The session cannot continue until a person acts; the worker reports why and is not restarted."""

    def __init__(self, state: SessionState, trouble: Trouble) -> None:
        super().__init__(f"{state}: {trouble.code} {trouble.detail}")
        self.state = state
        self.trouble = trouble


class SessionGained(Exception):
    """The number is logged in, and its next worker uses the session that was reported."""


class Outbox(Protocol):
    """Sends events to the supervisor, in the order in which they were handed over."""

    def put(self, event: Event) -> None:
        """Send an event without waiting, for callers that cannot wait."""

    async def report(self, event: Event) -> None:
        """Send an event, and wait while the supervisor is slow to read."""


class Session(Protocol):
    """What a worker runs for its number."""

    @property
    def last_heard(self) -> float | None:
        """When the newest Telegram update arrived, in seconds since 1970."""

    @property
    def queue_depth(self) -> int:
        """How many updates wait to be processed."""

    async def run(self) -> None:
        """Connect and serve until stopped; raise SessionEnded if only a person can help.

        A login raises SessionGained when it has succeeded. Any other exception is a crash, and so
        is a return without a call of `stop`.
        """

    async def stop(self) -> None:
        """Disconnect from Telegram; this is called once, while `run` is still running, and makes it return."""

    async def handle(self, command: Command) -> None:
        """Handle a command that is not meant for the worker itself, without waiting for its outcome."""


class WritePermit(Protocol):
    """The permission to write to Telegram for a number, which may end at any moment."""

    def held(self) -> bool: ...


class SessionFactory(Protocol):
    """Makes the session; called inside the running event loop before anything is connected."""

    def __call__(self, assignment: Assignment, outbox: Outbox, lease: WritePermit) -> Session: ...
