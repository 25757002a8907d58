"""Reads Planfix's answers and errors without repeating secrets."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime


LONGEST_DETAIL = 300  # characters
LONGEST_READ = 4 * LONGEST_DETAIL  # characters, before the values that we sent are removed
LARGEST_NUMBER = 2**63 - 1  # the largest number of a task
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
# A proxy that gave up on Planfix cannot know what Planfix did.
_IN_BETWEEN = {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}


class PlanfixError(Exception):
    """Planfix did not do what was asked."""


class PlanfixUnavailable(PlanfixError):
    """Planfix cannot be reached or has an error of its own; nothing was carried out."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class PlanfixAnswerLost(PlanfixError):
    """The call was made but not answered, so it is unknown whether it was carried out."""


class PlanfixUnauthorized(PlanfixError):
    """Planfix does not accept our key."""


class PlanfixForbidden(PlanfixError):
    """The address given for Planfix leads to a place that the gateway may not access."""


class PlanfixRejected(PlanfixError):
    """Planfix rejects this call for good."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class Unreadable(Exception):
    """The body of an answer cannot be read, or not without harm."""


def check(
    status: int, body: bytes, retry_after: float | None, form: Iterable[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return the data of an answer; anything but success raises the error that says what follows."""
    try:
        data, complaint, reason = _read(body)
    except Unreadable as exc:
        raise without_body(status, retry_after, str(exc)) from exc
    if status == HTTPStatus.UNAUTHORIZED or reason.lower() == "invalid token":
        raise PlanfixUnauthorized(_shorten(reason, form))
    trouble = _temporary_error(status, retry_after)
    if trouble is not None:
        raise trouble
    if status >= HTTPStatus.BAD_REQUEST or complaint:
        raise PlanfixRejected(status, _shorten(reason, form))
    return data


def without_body(status: int, retry_after: float | None, flaw: str) -> PlanfixError:
    """Return the error for an answer whose body cannot be read; it is never a final rejection."""
    if status == HTTPStatus.UNAUTHORIZED:
        return PlanfixUnauthorized(flaw)
    return _temporary_error(status, retry_after) or PlanfixAnswerLost(f"answered {status}, {flaw}")


def _temporary_error(status: int, retry_after: float | None) -> PlanfixError | None:
    """Return the temporary error that the status stands for, if there is one."""
    if status in _IN_BETWEEN:
        return PlanfixAnswerLost(f"answered {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _BUSY:
        return PlanfixUnavailable(f"answered {status}", retry_after)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return PlanfixUnavailable(f"answered {status}, a redirect", retry_after)
    return None


def seconds_to_wait(header: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, which contains seconds or a date."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str, now: datetime) -> float:
    try:
        return (parsedate_to_datetime(date) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return math.nan


def task_number(data: dict[str, Any]) -> int | None:
    """Return the number of the task, which may be text, or None if there is none."""
    try:
        number = int(data["number"])
    except (KeyError, TypeError, ValueError):
        return None
    return number if 0 < number <= LARGEST_NUMBER else None


def _shorten(reason: str, form: Iterable[tuple[str, str]]) -> str:
    # Some servers repeat what they received, which must be neither logged nor stored in clear text.
    return without_sent_values(reason[:LONGEST_READ], form)[:LONGEST_DETAIL]


def _read(body: bytes) -> tuple[dict[str, Any], bool, str]:
    """Return the data, whether the answer is an error, and the text of that error."""
    try:
        content = _parse(body)
        complaint = content.get("error")
        reason = str(complaint or body.decode(errors="replace"))
        return _data(content), bool(complaint), reason
    except RecursionError as exc:
        raise Unreadable("nested too deeply") from exc


def _data(content: dict[str, Any]) -> dict[str, Any]:
    """Unwrap the data, which is an object, JSON inside a text, or the whole answer."""
    data = content.get("data", content)
    if isinstance(data, str):
        data = _parse(data.encode())
    return data if isinstance(data, dict) else {}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        # The decoder for a byte order mark is a module, and a confined worker can open no file to import it.
        text = body.removeprefix(BOM_UTF8).decode()
        content = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _finite(number: str) -> float:
    """Reject numbers that Python accepts although JSON does not have them."""
    value = float(number)
    if not math.isfinite(value):
        raise Unreadable("with a number that is not finite")
    return value


HIDDEN = "…"
SHORTEST = 4  # characters; shorter values also occur in ordinary words
PIECE = 12  # characters; servers shorten texts and insert line breaks
_LEFT_OUT = "\0"
# Names of calls and ids are not secret, and an error text is useless without them.
_NOT_SECRET = frozenset(
    {"cmd", "providerId", "channel", "chatId", "contactId", "telegramUserId"}
    | {"messageId", "messageStatus", "isEcho"}
)


def without_sent_values(complaint: str, form: Iterable[tuple[str, str]]) -> str:
    """Remove keys, texts, names and links, and pieces of them, from an error text that is stored."""
    values = {value for name, value in form if name not in _NOT_SECRET}
    written = {text for value in values for text in _spellings(value) if len(text) >= SHORTEST}
    chars = list(complaint)
    for start in range(len(complaint)):
        piece = complaint[start : start + PIECE]
        if len(piece) == PIECE and any(piece in text for text in written):
            chars[start : start + PIECE] = _LEFT_OUT * PIECE
    left = "".join(chars)
    for text in sorted(written, key=len, reverse=True):
        left = left.replace(text, _LEFT_OUT)
    return re.sub(f"{_LEFT_OUT}+", HIDDEN, left)


def _spellings(value: str) -> Iterator[str]:
    yield value
    yield repr(value)[1:-1]
    yield value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for escaped in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", "\\/")
    yield quote(value, safe="")
    yield quote_plus(value)
