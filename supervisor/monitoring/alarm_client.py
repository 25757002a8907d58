"""Posts alarms to the operator's address, signed as Standard Webhooks 1.0 prescribes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 10.0  # seconds


class AlarmRefused(Exception):
    """The receiver does not want this alarm, now or ever."""

    def __init__(self, detail: str, *, is_final: bool = False) -> None:
        super().__init__(detail)
        self.is_final = is_final


class AlarmWay(Protocol):
    """A way by which alarms leave the gateway."""

    async def send(self, alarm_id: str, body: str, now: float) -> None:
        """Deliver the JSON of an alarm, or raise AlarmRefused."""
        ...

    async def close(self) -> None: ...


def shown_secret(key: bytes) -> str:
    """Return the secret as receivers expect it."""
    return "whsec_" + base64.b64encode(key).decode()


def sign(keys: Sequence[bytes], alarm_id: str, timestamp: int, body: str) -> str:
    """Return a signature for each key, so that receivers may switch to the new key later."""
    signed = f"{alarm_id}.{timestamp}.{body}".encode()
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class AlertUrl:
    """The operator's own address: it may be a private one, and redirects are not followed."""

    def __init__(self, url: str, keys: Sequence[bytes], limit: float = LIMIT) -> None:
        # Imported late: a gateway without alarms needs no HTTP client.
        import httpx

        from session_worker.network.guarded_transport import (
            GuardedBackend,
            guarded_transport,
            place_of,
            tls_context,
        )

        self._url = httpx.URL(url)
        self._keys = keys
        self._limit = limit
        backend = GuardedBackend(place_of(self._url))
        self._http = httpx.AsyncClient(
            transport=guarded_transport(backend, tls_context()),
            timeout=limit,
            headers={"Content-Type": "application/json", "User-Agent": "Telefix"},
            trust_env=False,
        )

    async def send(self, alarm_id: str, body: str, now: float) -> None:
        import httpx

        timestamp = int(now)
        headers = {
            "webhook-id": alarm_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self._keys, alarm_id, timestamp, body),
        }
        try:
            async with (
                asyncio.timeout(2 * self._limit),  # an answer may come byte by byte
                self._http.stream(
                    "POST", self._url, content=body.encode(), headers=headers
                ) as answer,
            ):
                status = answer.status_code
        except TimeoutError as exc:
            raise AlarmRefused("no whole answer in time") from exc
        except httpx.HTTPError as exc:
            raise AlarmRefused(f"{type(exc).__name__}: {exc}"[:300]) from exc
        if not httpx.codes.is_success(status):
            raise AlarmRefused(f"answered {status}", is_final=status == httpx.codes.GONE)

    async def close(self) -> None:
        await self._http.aclose()
