"""An outbox that keeps what a worker would report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_worker.protocol.contract import Event


class KeptOutbox:
    """Keeps events in the order in which they were handed over."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def put(self, event: Event) -> None:
        self.events.append(event)

    async def report(self, event: Event) -> None:
        self.put(event)
