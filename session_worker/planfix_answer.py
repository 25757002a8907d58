"""What Planfix's answers mean, read as tolerantly as they are written."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from session_worker.repetition import without_ours

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

LONGEST_DETAIL = 300  # characters
LARGEST_NUMBER = 2**63 - 1  # of a task; Planfix's have eight digits
LONGEST_READ = 4 * LONGEST_DETAIL  # before what is ours is taken out
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
# A proxy that gave up on Planfix can't know what Planfix did.
_IN_BETWEEN = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}


class PlanfixError(Exception):
    """Planfix did not do what was asked."""


class PlanfixUnavailable(PlanfixError):
    """Planfix can't be reached or has trouble of its own; nothing was carried out."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class PlanfixAnswerLost(PlanfixError):
    """The call was made, its answer never came: whether it was carried out is unknown."""


class PlanfixUnauthorized(PlanfixError):
    """Planfix does not accept our key."""


class PlanfixForbidden(PlanfixError):
    """The address that is given for Planfix leads to a place where we may not go."""


class PlanfixRejected(PlanfixError):
    """Planfix refuses this call for good."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


def check(
    status: int, body: bytes, retry_after: float | None, form: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Read the answer's data; anything but success raises what has to happen next."""
    content = _parse(body)
    complaint = content.get("error")
    reason = str(complaint or body.decode(errors="replace"))
    if status == HTTPStatus.UNAUTHORIZED or reason.lower() == "invalid token":
        raise PlanfixUnauthorized(_shorten(reason, form))
    if status in _IN_BETWEEN:
        raise PlanfixAnswerLost(f"answered {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _BUSY:
        raise PlanfixUnavailable(f"answered {status}", retry_after)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise PlanfixUnavailable(f"answered {status}, a redirect", retry_after)
    if status >= HTTPStatus.BAD_REQUEST or complaint:
        raise PlanfixRejected(status, _shorten(reason, form))
    return _data(content)


def seconds_to_wait(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, which counts seconds or names a date."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (ValueError, TypeError):
        return None


def task_number(data: dict[str, Any]) -> int | None:
    """Find the task's number, which may be text; None where there is none."""
    try:
        number = int(data["number"])
    except (KeyError, TypeError, ValueError):
        return None
    return number if abs(number) <= LARGEST_NUMBER else None


def _shorten(reason: str, form: Iterable[tuple[str, str]]) -> str:
    # Some servers repeat what they were sent, which is neither to be logged nor kept in clear.
    return without_ours(reason[:LONGEST_READ], form)[:LONGEST_DETAIL]


def _data(content: dict[str, Any]) -> dict[str, Any]:
    """Unwrap the data, which is an object, JSON in a text, or the whole answer."""
    data = content.get("data", content)
    if isinstance(data, str):
        data = _parse(data.encode())
    return data if isinstance(data, dict) else {}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
