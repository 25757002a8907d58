"""Ending a number's session at Telegram."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telethon.tl import functions

from session_worker.contract import TroubleCode
from session_worker.telegram.client import AccountClient
from session_worker.telegram.errors import NeedsLogin
from session_worker.telegram.fence import fenced
from session_worker.telegram.identity import require_own
from session_worker.telegram.line import Line
from session_worker.telegram.pace import Pace
from session_worker.telegram.proxied import HeldLines
from session_worker.telegram.stored_session import WorkerSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_worker.contract import Assignment, UpdateState
    from session_worker.telegram.fence import Right


async def log_out(assignment: Assignment, right: Right, pace: Pace | None = None) -> None:
    """Make the stored key worthless; one that is so already is fine, another account's is left alone."""
    pace = pace or Pace()
    session = WorkerSession(assignment.session, assignment.data_centre)
    held = HeldLines()
    connection = fenced(right, _lease_lost, assignment.proxy, held)
    line = Line(AccountClient(session, assignment.application, connection, pace, _heard), pace)
    try:
        await line.open(None)
        require_own(await line.me(), assignment.number)
        await line.ask(functions.auth.LogOutRequest())
    except NeedsLogin as lost:
        if lost.trouble.code is TroubleCode.WRONG_ACCOUNT:
            raise
    finally:
        await held.let_go(pace.part_limit)
        await asyncio.shield(line.close())


async def _heard(_state: UpdateState, _updates: Sequence[Any]) -> None:
    """Hear nothing: the account is about to be left."""


def _lease_lost() -> None:
    """Need nothing: the refused write has ended the line."""
