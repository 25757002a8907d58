"""Telling Planfix what became of its messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from session_worker.planfix.answer import PlanfixError
from session_worker.planfix.circuit_breaker import failure_of
from session_worker.planfix.hedging import ask_until_answered
from session_worker.protocol.messages import Failure, FailureCode, StatusTold

if TYPE_CHECKING:
    from session_worker.planfix.circuit_breaker import CircuitBreaker
    from session_worker.planfix.client import PlanfixClient
    from session_worker.protocol.messages import TellStatus
    from session_worker.session import Outbox

log = logging.getLogger(__name__)


class StatusReporter:
    """Tells each status until Planfix has taken or refused it."""

    def __init__(
        self, planfix: PlanfixClient, circuit_breaker: CircuitBreaker, outbox: Outbox
    ) -> None:
        self._planfix = planfix
        self._circuit_breaker = circuit_breaker
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
        async with self._circuit_breaker.slot():
            try:
                if self._circuit_breaker.is_suspect:
                    await ask_until_answered(
                        lambda: self._tell(order), self._circuit_breaker.may_ask_again
                    )
                else:
                    await self._tell(order)
            except PlanfixError as error:
                return failure_of(error, self._circuit_breaker)
            self._circuit_breaker.succeeded()
            return None

    async def _tell(self, order: TellStatus) -> None:
        await self._planfix.tell_status(order.planfix_id, order.status, order.text)
