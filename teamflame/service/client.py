"""Makes the calls to the TeamFlame service: guarded, limited in time and size, repeated when that is safe."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import httpx

from session_worker.backoff import Backoff
from session_worker.network.answer_body import BodyUnreadable, read_body
from session_worker.network.guarded_transport import (
    NOT_SENT,
    AddressForbidden,
    GuardedBackend,
    guarded_transport,
    place_of,
    tls_context,
)
from teamflame.errors import (
    AccessExpired,
    AnswerLost,
    Forbidden,
    Limited,
    NotFound,
    Rejected,
    TeamFlameError,
    Unavailable,
)
from teamflame.service.endpoints import Call, Dialect, Host, endpoint_of, headers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from teamflame.service.endpoints import Endpoint

Json = Any

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Telefix"}
LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=8)
LONGEST_ANSWER = 8 * 1024 * 1024  # bytes, unpacked
LONGEST_REST = 3600.0  # seconds, however long the service wants to be left alone
_BACKOFF = Backoff(first=0.3, longest=2.0)
_REFUSALS: dict[int, type[TeamFlameError]] = {
    HTTPStatus.UNAUTHORIZED: AccessExpired,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
}


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """Where the service is, which dialect it speaks, and how patient we are, in seconds."""

    auth_url: str
    api_url: str
    dialect: Dialect = Dialect.V2023
    connect: float = 5.0
    answer: float = 15.0
    attempts: int = 3
    longest_wait: float = 3.0
    backoff: Backoff = _BACKOFF


class ServiceClient:
    """Makes calls; each returns the JSON of the answer or raises a TeamFlameError."""

    def __init__(self, config: ServiceConfig) -> None:
        self._config = config
        self._hosts = {
            Host.AUTH: _open(config.auth_url, config),
            Host.API: _open(config.api_url, config),
        }

    async def call(
        self,
        call: Call,
        key: str = "",
        *,
        token: str | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> Json:
        """Make a call; repeat it if it certainly was not carried out, or if it changes nothing."""
        endpoint = endpoint_of(self._config.dialect, call)
        for attempt in range(1, self._config.attempts + 1):
            try:
                return await self._attempt(endpoint, key, token, fields)
            except Limited as exc:
                failure: TeamFlameError = exc
                pause = self._config.backoff.pause(attempt, exc.seconds)
            except AnswerLost as exc:
                if endpoint.method != "GET":
                    raise
                failure, pause = exc, self._config.backoff.pause(attempt)
            except Unavailable as exc:
                failure, pause = exc, self._config.backoff.pause(attempt)
            if attempt == self._config.attempts or pause > self._config.longest_wait:
                raise failure
            await asyncio.sleep(pause)
        raise AssertionError("a call has at least one attempt")

    async def close(self) -> None:
        for client in self._hosts.values():
            await client.aclose()

    async def _attempt(
        self,
        endpoint: Endpoint,
        key: str,
        token: str | None,
        fields: Mapping[str, Any] | None,
    ) -> Json:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = self._hosts[endpoint.host].build_request(
            endpoint.method,
            endpoint.path.replace("{}", quote(key, safe="")),
            json=fields,
            headers=headers,
        )
        try:
            async with asyncio.timeout(self._config.connect + self._config.answer):
                return await self._send(endpoint, request)
        except (AddressForbidden, *NOT_SENT) as exc:
            raise Unavailable(f"{type(exc).__name__}: {exc}") from exc
        except TimeoutError as exc:
            raise AnswerLost("no answer in time") from exc
        except httpx.HTTPError as exc:
            raise AnswerLost(f"{type(exc).__name__}: {exc}") from exc

    async def _send(self, endpoint: Endpoint, request: httpx.Request) -> Json:
        response = await self._hosts[endpoint.host].send(request, stream=True)
        try:
            body = await read_body(response, LONGEST_ANSWER)
        except BodyUnreadable as exc:
            raise Rejected(f"TeamFlame answered {exc}") from exc
        finally:
            await response.aclose()
        if not response.is_success:
            _refuse(response, body)
        return _parse(body)


def _open(url: str, config: ServiceConfig) -> httpx.AsyncClient:
    # The operator has chosen the address, so it may be a private one; a redirect may lead nowhere else.
    backend = GuardedBackend(place_of(httpx.URL(url)))
    return httpx.AsyncClient(
        base_url=url.rstrip("/") + "/",
        transport=guarded_transport(backend, tls_context(), LIMITS),
        timeout=httpx.Timeout(None, connect=config.connect, pool=config.answer),
        headers=HEADERS | dict(headers_of(config.dialect)),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
    )


def _parse(body: bytes) -> Json:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError) as exc:
        raise Rejected("TeamFlame's answer is not JSON") from exc


def _refuse(response: httpx.Response, body: bytes) -> NoReturn:
    status = response.status_code
    reason = _reason(body)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Limited(_seconds(response.headers.get("Retry-After")))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise AnswerLost(f"TeamFlame answered {status}")
    raise _REFUSALS.get(status, Rejected)(reason or f"TeamFlame answered {status}")


def _reason(body: bytes) -> str:
    """Read NestJS's error body, in which the message is a text or a list of texts."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    text = "; ".join(map(str, message)) if isinstance(message, list) else str(message)
    return text[:300]


def _seconds(header: str | None) -> float:
    try:
        return min(max(0.0, float(header or "1")), LONGEST_REST)
    except ValueError:
        return 1.0
