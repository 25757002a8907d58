"""Turns the errors of TeamFlame's part into answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn

from quart import Blueprint, Response, jsonify

from teamflame import errors

if TYPE_CHECKING:
    from pydantic import ValidationError

Detail = str | list[dict[str, str]]

_ANSWERS: dict[type[errors.TeamFlameError], tuple[int, str]] = {
    errors.ProofInvalid: (401, "unauthorized"),
    errors.SignInNeeded: (403, "sign_in_needed"),
    errors.AccessExpired: (403, "sign_in_needed"),
    errors.CredentialsInvalid: (400, "credentials_invalid"),
    errors.Forbidden: (403, "forbidden"),
    errors.NotFound: (404, "not_found"),
    errors.Rejected: (400, "invalid_request"),
    errors.ChangedMeanwhile: (409, "changed_meanwhile"),
    errors.Limited: (429, "limited"),
    errors.AnswerLost: (503, "answer_lost"),
    errors.Unavailable: (503, "teamflame_unavailable"),
}


class CallInvalid(Exception):
    """A call that cannot be read, with the answer that its caller gets."""

    def __init__(self, detail: Detail, status: int = 400, code: str = "invalid_request") -> None:
        super().__init__(code)
        self.detail = detail
        self.status = status
        self.code = code


def refuse_field(field: str, reason: str) -> NoReturn:
    raise CallInvalid([{"field": field, "reason": reason}])


def refuse_fields(exc: ValidationError) -> NoReturn:
    found = exc.errors(include_input=False, include_url=False, include_context=False)
    raise CallInvalid(
        [
            {
                "field": ".".join(map(str, each["loc"])) or "body",
                "reason": each["msg"].removeprefix("Value error, "),
            }
            for each in found
        ]
    ) from exc


def register_errors(blueprint: Blueprint) -> None:
    blueprint.register_error_handler(CallInvalid, _answer_invalid)
    blueprint.register_error_handler(errors.TeamFlameError, _answer)


async def _answer_invalid(error: CallInvalid) -> Response:
    return _respond(error.status, error.code, error.detail)


async def _answer(error: errors.TeamFlameError) -> Response:
    status, code = next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
    response = _respond(status, code, str(error))
    if isinstance(error, errors.Limited):
        response.headers["Retry-After"] = str(math.ceil(error.seconds))
    if isinstance(error, errors.ProofInvalid):
        response.headers["WWW-Authenticate"] = "tma, Bearer"
    return response


def _respond(status: int, code: str, detail: Detail) -> Response:
    response = jsonify({"error": code, "detail": detail})
    response.status_code = status
    return response
