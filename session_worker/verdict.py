"""What follows from a call to Planfix that failed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from session_worker.message import Failure
from session_worker.planfix_answer import (
    PlanfixAnswerLost,
    PlanfixForbidden,
    PlanfixRejected,
    PlanfixUnauthorized,
    PlanfixUnavailable,
)

if TYPE_CHECKING:
    from session_worker.gate import Gate
    from session_worker.planfix_answer import PlanfixError

PAUSE_FOR_PEOPLE = 300.0  # seconds; what failed will fail until somebody mends it


class FailureCode(StrEnum):
    """Why something did not get into Planfix; texts for people live where they are shown."""

    UNAVAILABLE = "planfix_unavailable"
    ANSWER_LOST = "planfix_answer_lost"
    UNAUTHORIZED = "planfix_unauthorized"
    FORBIDDEN = "planfix_forbidden"
    REJECTED = "planfix_rejected"
    FILE_UNREACHABLE = "telegram_file_unreachable"
    INTERNAL = "internal_error"


def judge(error: PlanfixError, gate: Gate) -> Failure:
    """Close the gate if others would fail alike; say when to try again, if ever."""
    match error:
        case PlanfixRejected():
            gate.succeeded()
            return Failure(code=FailureCode.REJECTED, detail=str(error))
        case PlanfixUnauthorized():
            code, next_try = FailureCode.UNAUTHORIZED, gate.failed(at_least=PAUSE_FOR_PEOPLE)
        case PlanfixForbidden():
            code, next_try = FailureCode.FORBIDDEN, gate.failed(at_least=PAUSE_FOR_PEOPLE)
        case PlanfixAnswerLost():
            code, next_try = FailureCode.ANSWER_LOST, gate.failed()
        case PlanfixUnavailable(retry_after=wanted):
            code, next_try = FailureCode.UNAVAILABLE, gate.failed(wanted, is_away=True)
        case _:
            raise AssertionError(f"no verdict on {error!r}")
    return Failure(code=code, detail=str(error), next_try=next_try)
