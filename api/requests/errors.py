"""Makes every error answer: its status, its code, and its reason in words."""

from __future__ import annotations

import inspect
import logging
import math
import re
from typing import TYPE_CHECKING

from quart import Quart, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from api.requests.reasons import reason_language, rewrite_for_bot, translate_reason
from supervisor import errors as gateway

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

logger = logging.getLogger(__name__)

Detail = str | list[dict[str, str]]

_GATEWAY_ERRORS: dict[type[gateway.GatewayError], tuple[int, str]] = {
    gateway.NumberUnknown: (404, "not_found"),
    gateway.NumberExists: (409, "number_exists"),
    gateway.SessionInUse: (409, "session_in_use"),
    gateway.MessageUnknown: (404, "not_found"),
    gateway.NotificationUnknown: (404, "not_found"),
    gateway.TemplateUnknown: (404, "template_unknown"),
    gateway.TemplateInvalid: (422, "template_invalid"),
    gateway.TemplateTooCostly: (422, "template_too_costly"),
    gateway.FieldMissing: (422, "field_missing"),
    gateway.MarkupInvalid: (422, "markup_invalid"),
    gateway.MessageEmpty: (422, "message_empty"),
    gateway.MessageTooLarge: (422, "message_too_large"),
    gateway.MessageNotDead: (409, "not_dead"),
    gateway.StaleEpoch: (503, "worker_unavailable"),
    gateway.NumberWithoutOwner: (503, "number_moving"),
    gateway.NumberOffline: (503, "number_offline"),
    gateway.WorkerUnavailable: (503, "worker_unavailable"),
    gateway.ResolvingDelayed: (503, "resolving_delayed"),
    gateway.WorkerTimeout: (503, "worker_timeout"),
    gateway.StorageFull: (503, "storage_full"),
    gateway.StandingBy: (503, "standing_by"),
    gateway.DatabaseRefused: (500, "internal_error"),
    gateway.DatabaseError: (503, "database_unavailable"),
    gateway.CodeInvalid: (400, "code_invalid"),
    gateway.CodeExpired: (400, "code_expired"),
    gateway.PasswordInvalid: (400, "password_invalid"),
    gateway.WrongAccount: (400, "wrong_account"),
    gateway.LoginRefused: (400, "login_refused"),
    gateway.TokenMalformed: (400, "invalid_token"),
    gateway.TelegramRefused: (400, "telegram_refused"),
    gateway.LoginFlood: (429, "flood_wait"),
    gateway.NotLoggingIn: (409, "not_logging_in"),
    gateway.LoggedInAlready: (409, "logged_in"),
    gateway.NotLoggedIn: (409, "not_logged_in"),
    gateway.TelegramUnreachable: (503, "telegram_unreachable"),
}
_HTTP_ERRORS = {
    400: ("invalid_request", "the gateway cannot read the request"),
    404: ("not_found", "this address does not exist"),
    405: ("method_not_allowed", "this address does not support this method"),
    408: ("request_timeout", "the body arrived too slowly"),
    413: ("body_too_large", "the body is too large"),
    415: ("unsupported_media_type", "send JSON or a form, in UTF-8"),
}
_INTERNAL_ERROR = (
    "internal_error",
    "an internal error occurred; the gateway's log has the details",
)
_OF_BOT_API = re.compile(r"/bot(?!s?(?:/|$))")  # a token follows; `/bots` is ours
_SESSION_FIELD = {
    gateway.SessionPathForbidden: "path_session",
    gateway.SessionStringBroken: "string_session",
}


class ApiError(Exception):
    """A call that fails, with the answer that its caller gets."""

    def __init__(
        self, status: int, code: str, detail: Detail, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}


def unauthorized() -> ApiError:
    detail = "the number does not exist, or the key is not valid for it"
    return ApiError(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def key_missing() -> ApiError:
    detail = "send the key in the header Authorization or Token"
    return ApiError(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


def operator_only(fields: Iterable[str]) -> ApiError:
    detail = f"only the admin key may change {', '.join(fields)}"
    return ApiError(403, "operator_only", detail)


def too_many_attempts(seconds: int) -> ApiError:
    detail = f"too many wrong keys from this address; try again in {seconds} s"
    return ApiError(429, "too_many_attempts", detail, headers={"Retry-After": str(seconds)})


def too_many_changes(seconds: int) -> ApiError:
    detail = f"too many changes of this number; try again in {seconds} s"
    return ApiError(429, "too_many_changes", detail, headers={"Retry-After": str(seconds)})


def not_found(detail: str = "the number does not exist") -> ApiError:
    return ApiError(404, "not_found", detail)


def invalid(field: str, reason: str) -> ApiError:
    return ApiError(400, "invalid_request", [{"field": field, "reason": reason}])


def invalid_fields(exc: ValidationError) -> ApiError:
    detail = [
        {
            "field": ".".join(str(part) for part in error["loc"]) or "body",
            "reason": _reason_of(error),
        }
        for error in exc.errors(include_url=False)
    ]
    return ApiError(400, "invalid_request", detail)


def _reason_of(error: ErrorDetails) -> str:
    """Return the library's words, unless they name one of our classes, or count the items of a text."""
    bounds = error.get("ctx", {})
    is_text = bounds.get("field_type") == "Value" and not isinstance(error["input"], list | tuple)
    match error["type"]:
        case "model_type":
            return "must be a JSON object"
        case "bool_parsing":
            return "must be true or false"
        case "too_long" if is_text:
            return f"String should have at most {bounds['max_length']} characters"
        case "too_short" if is_text:
            return f"String should have at least {bounds['min_length']} character"
        case "too_long" | "too_short":
            return error["msg"].replace("Value ", "List ", 1)
        case _:
            return error["msg"].removeprefix("Value error, ")


def register_error_handlers(app: Quart) -> None:
    app.register_error_handler(ApiError, answer_error)
    app.register_error_handler(gateway.GatewayError, _answer_gateway)
    app.register_error_handler(HTTPException, _answer_server)


async def answer_error(error: ApiError) -> Response:
    return _respond(error, translated(error.detail))


def translated(detail: Detail) -> Detail:
    """Translate a detail into the language of the caller; the names of fields stay as they are."""
    language = reason_language()
    if isinstance(detail, str):
        return translate_reason(detail, language)
    return [{**each, "reason": translate_reason(each["reason"], language)} for each in detail]


def _respond(error: ApiError, detail: Detail) -> Response:
    response = jsonify({"error": error.code, "detail": detail})
    response.status_code = error.status
    response.headers.update(error.headers)
    response.vary.add("Accept-Language")
    return response


async def _answer_gateway(error: gateway.GatewayError) -> Response:
    answer = from_gateway(error)
    detail = translated(answer.detail)
    if request.blueprint == "bots" and isinstance(detail, str):
        detail = rewrite_for_bot(detail, reason_language())
    return _respond(answer, detail)


async def _answer_server(error: HTTPException) -> Response:
    status = error.code if error.code is not None and error.code in _HTTP_ERRORS else 500
    if status in {404, 405} and _OF_BOT_API.match(request.path):
        return _respond_like_bot_api(error)
    code, detail = _HTTP_ERRORS.get(status, _INTERNAL_ERROR)
    allow = dict(error.get_headers()).get("Allow") if status == 405 else None
    headers = {"Allow": allow} if allow else {}
    return await answer_error(ApiError(status, code, detail, headers=headers))


def _respond_like_bot_api(error: HTTPException) -> Response:
    """Answer like Telegram's own server about addresses and methods of HTTP that it does not have."""
    body = {"ok": False, "error_code": error.code, "description": error.name}
    response = jsonify(body)
    response.status_code = error.code or 500
    response.headers.extend(each for each in error.get_headers() if each[0] == "Allow")
    return response


def _detail_of(error: gateway.GatewayError) -> str:
    # The message of a database may quote a row, so the caller gets only our own text.
    words = inspect.getdoc(type(error)) if isinstance(error, gateway.DatabaseError) else None
    return words or str(error)


def _retry_after(error: gateway.GatewayError) -> dict[str, str]:
    if isinstance(error, gateway.NumberWithoutOwner):
        return {"Retry-After": "2"}
    if isinstance(error, gateway.LoginFlood | gateway.ResolvingDelayed) and error.retry_after:
        return {"Retry-After": str(math.ceil(error.retry_after))}
    return {}


def from_gateway(error: gateway.GatewayError) -> ApiError:
    if isinstance(error, gateway.SessionFileError):
        return invalid(_SESSION_FIELD.get(type(error), "path_session"), str(error))
    for kind in type(error).__mro__:
        if kind in _GATEWAY_ERRORS:
            status, code = _GATEWAY_ERRORS[kind]
            if status == 500:
                logger.error("a call failed", exc_info=error)
            return ApiError(status, code, _detail_of(error), headers=_retry_after(error))
    logger.error("an unexpected gateway error", exc_info=error)
    return ApiError(500, *_INTERNAL_ERROR)
