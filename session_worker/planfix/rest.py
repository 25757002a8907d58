"""The few calls of Planfix's REST API that notifications need, and its incoming webhooks."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, NamedTuple

import httpx

from session_worker.network.answer_body import BodyUnreadable, read_body
from session_worker.network.guarded_transport import (
    AddressForbidden,
    GuardedBackend,
    guarded_transport,
    place_of,
    tls_context,
)

LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=0)
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
LARGEST_ANSWER = 1 << 20  # bytes
LONGEST_NUMBER = 18  # digits
USUAL_REST = 60.0  # seconds, if Planfix does not say when its limit ends


class RestFailed(Exception):
    """Planfix refused the call or did not answer it.

    ``rest`` says for how many seconds Planfix wants no more calls, if its limit is reached.
    """

    def __init__(self, detail: str, *, is_final: bool, rest: float | None = None) -> None:
        super().__init__(detail)
        self.is_final = is_final
        self.rest = rest


class RestComment(NamedTuple):
    """A comment as the REST API shows it."""

    id: int
    text: str
    author: str
    is_hidden: bool
    author_id: str = ""
    notified: tuple[str, ...] = ()
    """The people whom Planfix itself has notified of it: `user:5`, `contact:7`."""


class RestTask(NamedTuple):
    """A task as the REST API shows it."""

    title: str
    description: str
    status: str
    author: str
    due: str
    assignees: tuple[tuple[str, str], ...]
    """The ids and the names of people."""


class RestPerson(NamedTuple):
    """Where an employee or a contact can be reached."""

    name: str
    telegram_id: str
    telegram: str
    phones: tuple[str, ...]


class PlanfixRest:
    """Calls the REST API of one account under the same rules for addresses as the chat API."""

    def __init__(self, url: str, token: str, *, may_be_private: bool, seconds: float) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._seconds = seconds
        self._trusted = place_of(httpx.URL(url)) if may_be_private else None

    async def comment(self, identifier: str) -> RestComment:
        fields = "fields=id,description,owner,isHidden,recipients"
        answer = await self._call("GET", f"/comment/{_checked(identifier)}?{fields}")
        return comment_of(answer.get("comment"))

    async def task(self, number: str) -> RestTask:
        fields = "fields=id,name,description,status,assigner,assignees,endDateTime"
        answer = await self._call("GET", f"/task/{_checked(number)}?{fields}")
        return task_of(_part(answer, "task"))

    async def person(self, identifier: str) -> RestPerson:
        """Return an employee, `user:5`, or a contact, `contact:7`."""
        kind, _, number = identifier.partition(":")
        if kind not in {"user", "contact"}:
            raise RestFailed("the id is not one of an employee or a contact", is_final=True)
        fields = "fields=id,name,lastname,telegramId,telegram,phones"
        answer = await self._call("GET", f"/{kind}/{_checked(number)}?{fields}")
        return person_of(_part(answer, kind))

    async def comments(self, task: str) -> list[RestComment]:
        """Return the newest comments of a task."""
        body = {
            "offset": 0,
            "pageSize": 20,
            "fields": "id,description,owner,isHidden,recipients",
            "resultOrder": [{"field": "dateTime", "direction": "Desc"}],
        }
        answer = await self._call("POST", f"/task/{_checked(task)}/comments/list", body)
        listed = answer.get("comments")
        return [comment_of(each) for each in listed] if isinstance(listed, list) else []

    async def add_comment(self, task: str, description: str) -> int:
        """Write a comment in HTML; return its id."""
        body = {"description": description, "recipients": {"roles": ["assignee"]}}
        answer = await self._call("POST", f"/task/{_checked(task)}/comments/", body)
        return _number(answer, "id")

    async def call_webhook(self, task: str, description: str) -> None:
        """Write a comment through an incoming webhook, at the address given as `url`; no id is returned."""
        body = {"task": int(_checked(task)), "comment": description}
        response = await self._send("POST", self._url, body)
        if response.status_code >= 400:
            is_final = response.status_code < 500 and response.status_code not in {408, 429}
            raise RestFailed(f"HTTP {response.status_code}", is_final=is_final)

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return answer_of(await self._send(method, f"{self._url}{path}", body))

    async def _send(self, method: str, url: str, body: Any) -> httpx.Response:
        backend = GuardedBackend(self._trusted)
        transport = guarded_transport(backend, tls_context(), LIMITS)
        key = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            async with (
                asyncio.timeout(2 * self._seconds),
                httpx.AsyncClient(
                    transport=transport,
                    headers=HEADERS | key,
                    timeout=self._seconds,
                    trust_env=False,
                ) as client,
                client.stream(method, url, json=body) as response,
            ):
                return await _read(response)
        except AddressForbidden as error:
            raise RestFailed(str(error), is_final=True) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise RestFailed(type(error).__name__, is_final=False) from error


def _checked(number: str) -> str:
    """Refuse what is not the number of a task, a comment or a person: it becomes a part of an address."""
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
        raise RestFailed("it has no number", is_final=True)
    return number


async def _read(response: httpx.Response) -> httpx.Response:
    """Read the whole answer; without a readable body the status says whether to try again."""
    status = response.status_code
    try:
        content = await read_body(response, LARGEST_ANSWER)
    except BodyUnreadable as error:
        raise RestFailed(f"HTTP {status}, {error}", is_final=status < 500) from error
    headers = [each for each in response.headers.multi_items() if each[0] != "content-encoding"]
    return httpx.Response(status, headers=headers, content=content)


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """Look at the result before the status: a spent limit may come with 200."""
    try:
        answer = json.loads(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RestFailed(f"HTTP {response.status_code}", is_final=response.status_code < 500)
    if answer.get("result") == "success" and response.status_code < 400:
        return answer
    error = str(answer.get("error") or answer.get("message") or response.status_code)[:200]
    is_limit = response.status_code in {403, 429} or "limit" in error.lower()
    rest = _rest_of(response, error) if is_limit else None
    raise RestFailed(error, is_final=not is_limit and response.status_code < 500, rest=rest)


def _rest_of(response: httpx.Response, error: str) -> float:
    """Read for how long no more calls are wanted, from the headers or from the text."""
    told = re.search(r"timeToReset:\s*(\d{1,6})", error)
    header = response.headers.get("x-ratelimit-reset") or response.headers.get("retry-after") or ""
    seconds = told[1] if told else header
    return float(seconds) if re.fullmatch(r"\d{1,6}", seconds) else USUAL_REST


def _part(answer: Any, name: str) -> dict[str, Any]:
    part = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(part, dict):
        raise RestFailed(f"the answer has no {name}", is_final=True)
    return part


def _text(of: Any, name: str) -> str:
    value = of.get(name) if isinstance(of, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _number(of: Any, name: str) -> int:
    """Return a number that may be text, or 0."""
    value = _text(of, name)
    return int(value) if value.isascii() and value.isdecimal() else 0


def _listed(of: Any, name: str) -> list[dict[str, Any]]:
    listed = of.get(name) if isinstance(of, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def comment_of(shown: Any) -> RestComment:
    comment = _part({"comment": shown}, "comment")
    owner = comment.get("owner")
    notified = _listed(comment.get("recipients"), "users")
    return RestComment(
        _number(comment, "id"),
        _text(comment, "description"),
        _text(owner, "name"),
        bool(comment.get("isHidden")),
        _text(owner, "id"),
        tuple(_text(each, "id") for each in notified),
    )


def task_of(task: dict[str, Any]) -> RestTask:
    due = task.get("endDateTime")
    people = _listed(task.get("assignees"), "users")
    return RestTask(
        _text(task, "name"),
        _text(task, "description"),
        _text(task.get("status"), "name"),
        _text(task.get("assigner"), "name"),
        f"{_text(due, 'date')} {_text(due, 'time')}".strip(),
        tuple((_text(each, "id"), _text(each, "name")) for each in people),
    )


def person_of(person: dict[str, Any]) -> RestPerson:
    name = f"{_text(person, 'name')} {_text(person, 'lastname')}".strip()
    phones = tuple(_text(each, "number") for each in _listed(person, "phones"))
    return RestPerson(name, _text(person, "telegramId"), _text(person, "telegram"), phones)
