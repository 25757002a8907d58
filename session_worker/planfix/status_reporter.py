"""Reports to Planfix whether its messages were sent and read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from session_worker.planfix.answer import PlanfixError
from session_worker.planfix.circuit_breaker import ask_until_answered, failure_of
from session_worker.protocol.messages import Failure, FailureCode, StatusTold

if TYPE_CHECKING:
    from session_worker.planfix.circuit_breaker import CircuitBreaker
    from session_worker.planfix.client import PlanfixClient
    from session_worker.protocol.messages import TellStatus
    from session_worker.session import Outbox

logger = logging.getLogger(__name__)


class StatusReporter:
    """Reports each status until Planfix has accepted or rejected it."""

    def __init__(
        self, planfix: PlanfixClient, circuit_breaker: CircuitBreaker, outbox: Outbox
    ) -> None:
        self._planfix = planfix
        self._circuit_breaker = circuit_breaker
        self._outbox = outbox

    async def report(self, command: TellStatus) -> None:
        failure: Failure | None
        try:
            while (failure := await self._try(command)) and failure.next_try is not None:
                logger.debug("the status of row %s has to wait: %s", command.row, failure.code)
        except Exception:  # the root of a status: a bug in one must not stop the others
            logger.exception("the status of row %s failed", command.row)
            failure = Failure(code=FailureCode.INTERNAL)
        self._outbox.put(StatusTold(row=command.row, status=command.status, failure=failure))

    async def _try(self, command: TellStatus) -> Failure | None:
        async with self._circuit_breaker.slot():
            try:
                if self._circuit_breaker.is_suspect:
                    await ask_until_answered(
                        lambda: self._tell(command), self._circuit_breaker.may_ask_again
                    )
                else:
                    await self._tell(command)
            except PlanfixError as error:
                return failure_of(error, self._circuit_breaker)
            self._circuit_breaker.succeeded()
            return None

    async def _tell(self, order: TellStatus) -> None:
        await self._planfix.tell_status(order.planfix_id, order.status, order.text)
