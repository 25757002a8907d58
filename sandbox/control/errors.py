"""The errors of the control calls, described in words and never by a traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from sandbox.planfix.employee import NothingToRepeat, NoWebhook
from sandbox.planfix.planfix import AccountUnknown
from sandbox.teamflame.errors import ServiceError, WorkspaceUnknown
from sandbox.telegram.errors import RpcError

if TYPE_CHECKING:
    from quart import Quart

logger = logging.getLogger(__name__)

Answer = tuple[dict[str, Any], int]
CODES = {400: "invalid_request", 413: "too_large", 415: "unsupported_media_type"}


_REFUSALS = {
    "PHONE_NUMBER_UNOCCUPIED": (404, "not_found"),
    "MESSAGE_ID_INVALID": (404, "not_found"),
    "PHONE_NUMBER_OCCUPIED": (409, "conflict"),
    "USERNAME_OCCUPIED": (409, "conflict"),
}


class ControlError(Exception):
    """A control call that cannot be done, with its status, code and explanation."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


def error_answer(status: int, code: str, detail: object) -> Answer:
    return {"error": code, "detail": detail}, status


def answer_control_error(error: ControlError) -> Answer:
    return error_answer(error.status, error.code, error.detail)


def answer_invalid_body(error: ValidationError) -> Answer:
    """List each field and the reason; the input may be a whole file, so it is left out."""
    reasons = [
        {"field": ".".join(str(part) for part in problem["loc"]), "reason": problem["msg"]}
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return error_answer(400, CODES[400], reasons)


def answer_http_exception(error: HTTPException) -> Answer:
    status = error.code or 500
    code = CODES.get(status, error.name.lower().replace(" ", "_"))
    return error_answer(status, code, error.description)


def answer_unknown_account(error: AccountUnknown | WorkspaceUnknown) -> Answer:
    return error_answer(404, "not_found", str(error))


def answer_conflict(error: NoWebhook | NothingToRepeat) -> Answer:
    return error_answer(409, "conflict", str(error))


def answer_service_error(error: ServiceError) -> Answer:
    code = {404: "not_found", 403: "forbidden"}.get(error.status, CODES[400])
    return error_answer(error.status, code, error.message)


def answer_rpc_error(error: RpcError) -> Answer:
    """Answer what Telegram would refuse with Telegram's own error name."""
    status, code = _REFUSALS.get(error.message, (400, "invalid_request"))
    return error_answer(status, code, error.message)


def answer_crash(error: Exception) -> Answer:
    logger.error("a sandbox call crashed", exc_info=error)
    return error_answer(500, "internal_error", "the sandbox failed; its log says why")


def register_errors(app: Quart) -> None:
    """Register an answer for every failure of the app."""
    app.register_error_handler(ControlError, answer_control_error)
    app.register_error_handler(ValidationError, answer_invalid_body)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(AccountUnknown, answer_unknown_account)
    app.register_error_handler(WorkspaceUnknown, answer_unknown_account)
    app.register_error_handler(ServiceError, answer_service_error)
    app.register_error_handler(NoWebhook, answer_conflict)
    app.register_error_handler(NothingToRepeat, answer_conflict)
    app.register_error_handler(RpcError, answer_rpc_error)
    app.register_error_handler(Exception, answer_crash)
