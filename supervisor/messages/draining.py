"""The last deliveries of a worker: they end, or are read from its notes, before another one runs."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from session_worker.inbound.progress import DELIVERED_LOG, SIZE, digest_of, digests_in
from session_worker.protocol.messages import Delivered, Drain, Incoming
from supervisor.database.tables import Direction
from supervisor.errors import GatewayError
from supervisor.file_access import OutsideRoot, open_inside
from supervisor.journal.pending import Excluded
from supervisor.journal.worker_report import report_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.journal.journal import Journal
    from supervisor.messages.dispatcher import Dispatcher

PATIENCE = 60.0  # seconds; longer than a call to Planfix without files may take
BRIEFLY = 5.0  # seconds; a change of a number, or the end of the gateway, waits for this
MOST_HELD = 1024  # rows that a worker holds at most

logger = logging.getLogger(__name__)


async def drain(dispatcher: Dispatcher, patience: float = PATIENCE) -> bool:
    """Let the worker deliver nothing more; return whether everything that it delivered is recorded."""
    if not dispatcher.has_worker:
        return False
    dispatcher.send_to_worker(Drain())
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await dispatcher.drained.wait()
    return dispatcher.has_worker and dispatcher.drained.is_set()


async def drain_briefly(dispatcher: Dispatcher) -> None:
    """Give messages on their way to Planfix a moment to arrive, before their worker ends."""
    incoming, *_ = dispatcher.hand_overs
    if incoming.in_flight.rows:
        await drain(dispatcher, BRIEFLY)


async def record_noted(dispatcher: Dispatcher, spool: Path) -> None:
    """Record what the last worker has delivered but could not report; no worker may run.

    Its notes stay in a file of this machine, so another one would deliver these messages again.
    """
    noted = await read_notes(spool)
    with tolerated(dispatcher.number):
        if delivered := await _find_noted(dispatcher.journal, noted):
            await dispatcher.record_events(delivered)


async def record_left(journal: Journal, epoch: int, noted: frozenset[bytes]) -> None:
    """Record what the worker of a killed gateway has noted; the next worker may run elsewhere."""
    if delivered := await _find_noted(journal, noted):
        await journal.record(epoch, report_of(delivered), ())


@contextmanager
def tolerated(number: str) -> Iterator[None]:
    """Log a failure of the gateway and go on, because no number may wait for its notes."""
    try:
        yield
    except GatewayError as exc:
        logger.warning("number %s: what it delivered last is not recorded: %s", number, exc)


async def read_notes(spool: Path) -> frozenset[bytes]:
    return await asyncio.to_thread(_read_notes, spool)


async def _find_noted(journal: Journal, noted: frozenset[bytes]) -> list[Delivered]:
    if not noted:
        return []
    waiting, _ = await journal.waiting(Direction.IN, Excluded(), MOST_HELD)
    return [
        Delivered(row=each.row)
        for each in waiting
        if isinstance(each.body, Incoming) and digest_of(each.body) in noted
    ]


def _read_notes(spool: Path) -> frozenset[bytes]:
    try:
        opened = open_inside(spool, DELIVERED_LOG)
    except (OSError, OutsideRoot):
        return frozenset()  # it has never delivered anything here
    with os.fdopen(opened, "rb") as file:
        return digests_in(file.read(SIZE))
