"""Planfix's answers to a call of its chat API."""

from __future__ import annotations

import json
from dataclasses import dataclass

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, body and headers of one answer."""

    status: int
    body: str = ""
    content_type: str = JSON_TYPE
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return {"Content-Type": self.content_type} | wait


def refusal(status: int, words: str) -> Answer:
    return Answer(status, json.dumps({"error": words}))


OK = Answer(200)
INVALID_PARAMETERS = refusal(400, "Invalid parameters")
TASK_NOT_FOUND = refusal(400, "task not found")
UNKNOWN_CONTACT = refusal(400, "unknown contact")
INVALID_TOKEN = refusal(401, "Invalid token")


def contact_answer(number: int) -> Answer:
    return Answer(200, json.dumps({"data": {"number": number}}))


def task_answer(number: int, *, as_string: bool) -> Answer:
    """Answer getTask as documented, or with `data` as JSON text, as some accounts do."""
    if not as_string:
        return contact_answer(number)
    data = json.dumps({"number": number, "statusIsActive": True}, separators=(",", ":"))
    return Answer(200, json.dumps({"data": data}))


def outage(status: int, retry_after: int | None) -> Answer:
    """Answer like a proxy in front of Planfix, whose error page is not JSON."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Answer(status, page, "text/html; charset=utf-8", retry_after)
