"""The few calls of Planfix's REST API that notifications need: reading a comment, writing one."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx

from session_worker.network.guarded_transport import (
    AddressForbidden,
    GuardedBackend,
    guarded_transport,
    place_of,
    tls_context,
)

LIMITS = httpx.Limits(max_connections=2, max_keepalive_connections=0)
LARGEST_ANSWER = 1 << 20  # bytes


class RestFailed(Exception):
    """Planfix refused the call, or did not answer it."""

    def __init__(self, detail: str, *, is_final: bool) -> None:
        super().__init__(detail)
        self.is_final = is_final


class RestComment(NamedTuple):
    """A comment as the REST API shows it."""

    id: int
    text: str
    author: str
    is_hidden: bool


class PlanfixRest:
    """Calls the REST API of one account under the same rules for addresses as the chat API."""

    def __init__(self, url: str, token: str, *, may_be_private: bool, seconds: float) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._seconds = seconds
        self._trusted = place_of(httpx.URL(url)) if may_be_private else None

    async def comment(self, identifier: str) -> RestComment:
        fields = "fields=id,description,owner,isHidden"
        answer = await self._call("GET", f"/comment/{identifier}?{fields}")
        return _comment(answer.get("comment"))

    async def comments(self, task: str) -> list[RestComment]:
        """Return the newest comments of a task."""
        body = {
            "offset": 0,
            "pageSize": 20,
            "fields": "id,description,owner,isHidden",
            "resultOrder": [{"field": "dateTime", "direction": "Desc"}],
        }
        answer = await self._call("POST", f"/task/{task}/comments/list", body)
        listed = answer.get("comments")
        return [_comment(each) for each in listed] if isinstance(listed, list) else []

    async def add_comment(self, task: str, description: str) -> int:
        """Write a comment in HTML; return its id."""
        body = {"description": description, "recipients": {"roles": ["assignee"]}}
        answer = await self._call("POST", f"/task/{task}/comments/", body)
        return int(answer.get("id") or 0)

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        backend = GuardedBackend(self._trusted)
        transport = guarded_transport(backend, tls_context(), LIMITS)
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with httpx.AsyncClient(
                transport=transport, headers=headers, timeout=self._seconds, trust_env=False
            ) as client:
                response = await client.request(method, f"{self._url}{path}", json=body)
        except AddressForbidden as error:
            raise RestFailed(str(error), is_final=True) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise RestFailed(type(error).__name__, is_final=False) from error
        return _answer_of(response)


def _answer_of(response: httpx.Response) -> dict[str, Any]:
    """Look at the result before the status: a spent limit may come with 200."""
    try:
        answer = json.loads(response.content[:LARGEST_ANSWER])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise RestFailed(f"HTTP {response.status_code}", is_final=response.status_code < 500)
    if answer.get("result") == "success" and response.status_code < 400:
        return answer
    error = str(answer.get("error") or answer.get("message") or response.status_code)[:200]
    is_limit = response.status_code in {403, 429} or "limit" in error.lower()
    raise RestFailed(error, is_final=not is_limit and response.status_code < 500)


def _comment(shown: Any) -> RestComment:
    if not isinstance(shown, dict):
        raise RestFailed("the answer has no comment", is_final=True)
    owner = shown.get("owner")
    author = str(owner.get("name") or "") if isinstance(owner, dict) else ""
    return RestComment(
        int(shown.get("id") or 0),
        str(shown.get("description") or ""),
        author,
        bool(shown.get("isHidden")),
    )
