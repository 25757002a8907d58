"""An account whose updates nobody stores: each is acknowledged at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_worker.telegram.connection.account import TelegramAccount

if TYPE_CHECKING:
    from session_worker.protocol.contract import Assignment
    from session_worker.session import Outbox, WritePermit
    from session_worker.telegram.connection.updates import PositionedUpdate


def make_account(assignment: Assignment, outbox: Outbox, lease: WritePermit) -> TelegramAccount:
    return TelegramAccount(assignment, outbox, lease, on_update=_acknowledge)


async def _acknowledge(account: TelegramAccount, incoming: PositionedUpdate) -> None:
    account.acknowledge(incoming.position)
