"""Posts alarms to the operator's address, signed as Standard Webhooks 1.0 prescribes, from one of the nodes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, NamedTuple, Protocol

from supervisor.monitoring.alarm_rules import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.monitoring.alarm_rules import Alarm
    from supervisor.nodes.node import Node
    from supervisor.store.history import AlarmRows

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


MARGIN = 30.0  # seconds that a node may need to notice that it is the first now
LOOKED_AT = 200  # newest alarms among which those are found that were sent lately


class Held(NamedTuple):
    """An alarm that another node should send."""

    alarm: Alarm
    since: float


class AlarmSpeaker:
    """Lets only the first node send alarms; the others keep what it may not have sent, should it die.

    Every node hears of every change and decides the same alarms. A dead letter is the exception:
    only the node of its number hears of it.
    """

    def __init__(self, node: Node | None, stored: AlarmRows) -> None:
        self._node = node
        self._stored = stored
        self._held: list[Held] = []
        self._was_first = False

    async def select(self, alarms: Sequence[Alarm], now: float) -> list[Alarm]:
        """Return the alarms that this node has to send now."""
        if self._node is None:
            return list(alarms)
        is_first = self._node.is_first
        oldest = now - self._node.lease.takeover - 2 * MARGIN
        sent = await self._sent(oldest) if is_first and not self._was_first else frozenset()
        own = [each for each in alarms if each.kind is Kind.DEAD]
        self._held += [Held(each, now) for each in alarms if each.kind is not Kind.DEAD]
        if not is_first:
            self._was_first = False
            limit = now - self._node.lease.takeover - MARGIN
            self._held = [each for each in self._held if each.since > limit]
            return own
        due = [each for each in self._held if _signature(each.alarm) not in sent]
        self._held, self._was_first = [], True
        return [*own, *(each.alarm for each in due)]

    async def _sent(self, oldest: float) -> frozenset[str]:
        """Return the signatures of the alarms that any node has sent since that moment."""
        stored = await self._stored.list(LOOKED_AT)
        lately = (each for each in stored if each.at.timestamp() > oldest)
        return frozenset(_signature_of(json.loads(each.body)) for each in lately)


def _signature(alarm: Alarm) -> str:
    return _signature_of(
        {
            "type": alarm.kind,
            "numbers": alarm.numbers,
            "client": alarm.client,
            "state": alarm.state,
            "cause": alarm.cause,
        }
    )


def _signature_of(body: dict[str, object]) -> str:
    return json.dumps([body[name] for name in ("type", "numbers", "client", "state", "cause")])
