"""Ends a number's session at Telegram."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telethon.tl import functions

from session_worker.protocol.contract import TroubleCode
from session_worker.telegram.connection.client import AccountClient
from session_worker.telegram.connection.connection import Connection, fenced, require_own
from session_worker.telegram.connection.session_memory import WorkerSession
from session_worker.telegram.connection.timing import ConnectionTiming
from session_worker.telegram.errors import NeedsLogin
from session_worker.telegram.proxy.transports import HeldConnections

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.protocol.contract import Assignment, UpdateState
    from session_worker.session import WritePermit


async def log_out(
    assignment: Assignment, right: WritePermit, timing: ConnectionTiming | None = None
) -> None:
    """Invalidate the stored key; a key that is already invalid is fine, and another account's is left alone."""
    timing = timing or ConnectionTiming()
    session = WorkerSession(assignment.session, assignment.data_centre)
    held_connections = HeldConnections()
    transport = fenced(right, _ignore_lost_lease, assignment.proxy, held_connections)
    connection = Connection(
        AccountClient(session, assignment.application, transport, timing, _ignore_updates), timing
    )
    try:
        await connection.open(None)
        require_own(await connection.me(), assignment.number, is_bot=assignment.is_bot)
        await connection.ask(functions.auth.LogOutRequest())
    except NeedsLogin as lost:
        if lost.trouble.code is TroubleCode.WRONG_ACCOUNT:
            raise
    finally:
        await held_connections.close_our_halves(timing.proxy_close_limit)
        await asyncio.shield(connection.close())


async def _ignore_updates(_state: UpdateState, _updates: Sequence[Any]) -> None:
    """Ignore the updates, because the account is about to be logged out."""


def _ignore_lost_lease() -> None:
    """Do nothing: the refused write has ended the connection."""
