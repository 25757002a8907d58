"""What the service refuses, in the shape of its framework's errors."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import NamedTuple


class WorkspaceUnknown(Exception):
    """No workspace has this name."""


class ServiceError(Exception):
    """A call that the service refuses."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ServiceAnswer(NamedTuple):
    """An answer of the service."""

    status: int
    body: str
    headers: dict[str, str]


def answer(value: object, status: int = 200) -> ServiceAnswer:
    return ServiceAnswer(status, json.dumps(value), {})


def refusal(status: int, message: str, retry_after: int | None = None) -> ServiceAnswer:
    body = {"statusCode": status, "message": message, "error": HTTPStatus(status).phrase}
    wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return ServiceAnswer(status, json.dumps(body), wait)
