"""Telling Planfix what became of its messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from session_worker.hedging import ask_until_answered
from session_worker.message import Failure, StatusTold
from session_worker.planfix_answer import PlanfixError
from session_worker.verdict import FailureCode, judge

if TYPE_CHECKING:
    from session_worker.gate import Gate
    from session_worker.message import TellStatus
    from session_worker.planfix import Planfix
    from session_worker.session import Outbox

log = logging.getLogger(__name__)


class Statuses:
    """Tells each status until Planfix has taken or refused it."""

    def __init__(self, planfix: Planfix, gate: Gate, outbox: Outbox) -> None:
        self._planfix = planfix
        self._gate = gate
        self._outbox = outbox

    async def tell(self, order: TellStatus) -> None:
        failure: Failure | None
        try:
            while (failure := await self._try(order)) and failure.next_try is not None:
                log.debug("status of row %s waits: %s", order.row, failure.code)
        except Exception:  # the root of a status: a bug in one must not stop those behind it
            log.exception("status of row %s failed", order.row)
            failure = Failure(code=FailureCode.INTERNAL)
        self._outbox.put(StatusTold(row=order.row, status=order.status, failure=failure))

    async def _try(self, order: TellStatus) -> Failure | None:
        async with self._gate.passage():
            try:
                if self._gate.is_suspect:
                    await ask_until_answered(lambda: self._tell(order), self._gate.may_ask_again)
                else:
                    await self._tell(order)
            except PlanfixError as error:
                return judge(error, self._gate)
            self._gate.succeeded()
            return None

    async def _tell(self, order: TellStatus) -> None:
        await self._planfix.tell_status(order.planfix_id, order.status, order.text)
