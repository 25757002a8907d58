"""A real number of a real account that misbehaves when SIGUSR1 tells it to."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from session_worker.number import NumberSession

if TYPE_CHECKING:
    from session_worker.process.lease import Lease
    from session_worker.protocol.contract import Assignment
    from session_worker.session import Outbox

PIECE = 64 << 20  # bytes


class WildNumber(NumberSession):
    """Its `provider_id` says how it misbehaves."""

    def __init__(self, assignment: Assignment, outbox: Outbox, lease: Lease) -> None:
        super().__init__(assignment, outbox, lease)
        deed = {"spin": _spin, "balloon": _balloon}.get(assignment.planfix.provider_id)
        if deed is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, deed)


def _spin() -> None:
    while True:
        pass


def _balloon() -> None:
    """Take memory until there is none; what is thrown then ends the process as a crash would."""
    eaten: list[bytes] = []
    try:
        while True:
            eaten.append(bytes(PIECE))
    except MemoryError:
        signal.raise_signal(signal.SIGABRT)
