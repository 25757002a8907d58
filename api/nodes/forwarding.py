"""Hands a call about a number to the node that runs it, and the answer back to the caller."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import ssl
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import httpx
from quart import Response, current_app, g, request

from api.context import context
from api.requests.errors import ApiError, answer_error, from_gateway
from api.requests.uploads import UploadBody
from supervisor.errors import GatewayError, NumberElsewhere, NumberWithoutOwner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from quart import Quart

    from api.settings import Settings
    from supervisor.nodes.node import Node

KEY = "X-Telefix-Cluster-Key"
NUMBER = "X-Telefix-Number"
EPOCH = "X-Telefix-Epoch"
CONNECT_TIMEOUT = 2.0  # seconds
LONGEST = 90.0  # seconds without a byte of an answer; calls may ask to wait for a number
PAUSE = 0.3  # seconds until it is read again who runs the number
WRONG_KEYS = 64  # that are remembered
WHOLE = 1 << 20  # bytes up to which an answer is passed on as a whole
_NOT_OWNER = "not_owner"
_OF_ONE_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade", "content-length"),
        *(KEY.lower(), NUMBER.lower(), EPOCH.lower()),
    }
)
# Planfix repeats a message or an event with its id, which is stored once.
_REPEATABLE = frozenset({"/webhook/message", "/webhook/planfix-event"})
_KEY = "telefix forwarding"
_INSTEAD = "fields_for_another_node"

logger = logging.getLogger(__name__)


class NotAnswered(Exception):
    """The node did not answer, and it is not known whether it did what was asked."""


class NotTaken(Exception):
    """The node did not do what was asked: it could not be reached, or it is not the owner."""


class Forwarding:
    """Calls to other nodes, which recognise this one by the key that all of them have."""

    def __init__(self, client: httpx.AsyncClient, keys: tuple[str, ...], node: Node) -> None:
        self._client = client
        self._keys = keys
        self._node = node
        self._wrong: deque[bytes] = deque(maxlen=WRONG_KEYS)

    def knows(self, key: str) -> bool:
        return any(hmac.compare_digest(each.encode(), key.encode()) for each in self._keys)

    def is_guess(self, key: str) -> bool:
        """Whether a wrong key is a new one: a node that still has an old key shows it in every call."""
        digest = hashlib.sha256(key.encode()).digest()
        if digest in self._wrong:
            return False
        self._wrong.append(digest)
        return True

    async def require_owner(self, number: str, epoch: str) -> None:
        """Raise unless this node still owns the number as the other node believes."""
        owner = (await self._node.nodes.find(number)).owner
        is_ours = owner is not None and owner.incarnation == self._node.incarnation
        if not is_ours or owner is None or str(owner.epoch) != epoch:
            raise _not_owner()

    async def hand_over(self, there: NumberElsewhere) -> Response:
        """Let the owner answer the present call; if it does not, look once more who the owner is."""
        body = request.body
        content = body if isinstance(body, UploadBody) else await _content()
        try:
            return await self._ask(there, content)
        except NotTaken as exc:
            logger.info("node %s does not take a call: %s", there.url, exc)
        except NotAnswered as exc:
            logger.warning("node %s does not answer a call: %s", there.url, exc)
            if request.method != "GET" and request.path not in _REPEATABLE:
                raise NumberWithoutOwner from exc
        if isinstance(body, UploadBody):  # which is not kept for a second time
            raise NumberWithoutOwner
        await asyncio.sleep(PAUSE)
        owner = (await self._node.nodes.find(there.number)).owner
        if owner is None:
            raise NumberWithoutOwner
        try:
            again = NumberElsewhere(there.number, owner.url, owner.epoch)
            return await self._ask(again, content)
        except (NotAnswered, NotTaken) as exc:
            raise NumberWithoutOwner from exc

    async def post(self, url: str, path: str, body: object) -> bytes:
        """Pass a part of the present call on in its caller's name; raise NotAnswered if it fails."""
        headers = {KEY: self._keys[0], "Authorization": request.headers.get("Authorization", "")}
        headers |= {name: request.headers.get(name, "") for name in ("Token", "Accept-Language")}
        try:
            answer = await self._client.post(url + path, json=body, headers=headers)
            answer.raise_for_status()
        except httpx.HTTPError as exc:
            raise NotAnswered(type(exc).__name__) from exc
        return answer.content

    async def fetch(self, url: str, path: str, **query: str) -> bytes:
        """Ask another node for what it knows; raise NotAnswered if it does not answer."""
        try:
            answer = await self._client.get(
                url + path, params=query, headers={KEY: self._keys[0]}, timeout=CONNECT_TIMEOUT
            )
            answer.raise_for_status()
        except httpx.HTTPError as exc:
            raise NotAnswered(type(exc).__name__) from exc
        return answer.content

    async def _ask(self, there: NumberElsewhere, content: str | bytes | UploadBody) -> Response:
        asking = asyncio.create_task(self._send(there, content))
        try:
            while not asking.done():
                await asyncio.wait({asking}, timeout=self._node.lease.ttl / 2)
                # A frozen node accepts connections and never answers.
                if not asking.done() and there.epoch and await self._is_over(there):
                    raise NotAnswered("it has lost the number meanwhile")
        finally:
            asking.cancel()
        return asking.result()

    async def _is_over(self, there: NumberElsewhere) -> bool:
        owner = (await self._node.nodes.find(there.number)).owner
        return owner is None or owner.epoch != there.epoch

    async def _send(self, there: NumberElsewhere, content: str | bytes | UploadBody) -> Response:
        headers = [
            (name, value)
            for name, value in request.headers
            if name.lower() not in _OF_ONE_CONNECTION
        ]
        if _INSTEAD in g:
            headers = [each for each in headers if each[0].lower() != "content-type"]
            headers.append(("Content-Type", "application/json"))
        headers += [(KEY, self._keys[0]), (NUMBER, there.number), (EPOCH, str(there.epoch))]
        target = target_of(there.url, request.scope["raw_path"], request.query_string)
        given = content if isinstance(content, UploadBody) else content or None
        call = self._client.build_request(request.method, target, headers=headers, content=given)
        try:
            answer = await self._client.send(call, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise NotTaken(type(exc).__name__) from exc
        except httpx.TransportError as exc:
            raise NotAnswered(type(exc).__name__) from exc
        return await _receive(answer)


def target_of(url: str, path: bytes, query: bytes) -> httpx.URL:
    """Return the address of a call on another node; whatever its path is, no other host is called.

    The other node sees the same path as this one: nothing of it is cut off, and no step is undone.
    """
    node = httpx.URL(url)
    steps = node.raw_path.rstrip(b"/") + path.replace(b"/.", b"/%2e")
    asked = b"?".join(filter(None, (steps, query))).replace(b"#", b"%23")
    return node.copy_with(raw_path=asked)


def hand_over_instead(fields: Mapping[str, object]) -> None:
    """Let another node get these fields instead of the body, if the present call is handed to it."""
    setattr(g, _INSTEAD, json.dumps(fields).encode())


async def _content() -> str | bytes:
    given: str | bytes = g.get(_INSTEAD) or await request.get_data()
    return given


async def _receive(answer: httpx.Response) -> Response:
    """Pass on a short answer as a whole, and any other piece by piece."""
    headers = [
        (name, value)
        for name, value in answer.headers.multi_items()
        if name.lower() not in _OF_ONE_CONNECTION
    ]
    size = answer.headers.get("Content-Length")
    if size is None or int(size) > WHOLE or request.method == "HEAD":
        response = Response(_pieces(answer), answer.status_code)
        if size is not None:
            headers.append(("Content-Length", size))
        response.timeout = None
    else:
        try:
            response = Response(await answer.aread(), answer.status_code)
        except httpx.TransportError as exc:
            raise NotAnswered(type(exc).__name__) from exc
        finally:
            await answer.aclose()
        if answer.status_code == 409 and answer.headers.get(KEY) == _NOT_OWNER:
            raise NotTaken(_NOT_OWNER)
    response.headers.clear()
    response.headers.extend(headers)
    return response


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


def is_forwarded() -> bool:
    """Whether another node has handed the present call to this one."""
    forwarding = current_app.extensions.get(_KEY)
    key = request.headers.get(KEY, "")
    return bool(key) and forwarding is not None and cast("Forwarding", forwarding).knows(key)


async def forward(there: NumberElsewhere) -> Response:
    """Answer the present call with what the node that runs the number answers."""
    if is_forwarded():
        return await answer_error(_not_owner())
    try:
        return await find_forwarding().hand_over(there)
    except GatewayError as exc:
        return await answer_error(from_gateway(exc))


def find_forwarding() -> Forwarding:
    return cast("Forwarding", current_app.extensions[_KEY])


def require_node() -> None:
    """Admit only the other nodes."""
    if not is_forwarded():
        raise ApiError(401, "unauthorized", "only nodes of the same cluster may ask this")


def register_forwarding(app: Quart) -> None:
    app.register_error_handler(NumberElsewhere, forward)
    app.before_request(_check_node)


async def _check_node() -> None:
    """Refuse a node that takes this one for the owner of a number, and whoever guesses the key."""
    if _KEY not in current_app.extensions:
        return  # it is alone
    key, epoch = request.headers.get(KEY, ""), request.headers.get(EPOCH, "0")
    if key and not is_forwarded():
        # A wrong key is ignored: the call is the caller's own, and needs a key of the caller's.
        if find_forwarding().is_guess(key):
            context(on_standby=True).authenticator.count_guess(request)
    elif key and epoch != "0":
        await find_forwarding().require_owner(request.headers.get(NUMBER, ""), epoch)


def _not_owner() -> ApiError:
    reason = "this node does not run the number"
    return ApiError(409, _NOT_OWNER, reason, headers={KEY: _NOT_OWNER})


@asynccontextmanager
async def open_forwarding(app: Quart, settings: Settings, node: Node) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=4.0)
    timeout = httpx.Timeout(LONGEST, connect=CONNECT_TIMEOUT)
    tls = await asyncio.to_thread(ssl.create_default_context)
    async with httpx.AsyncClient(
        verify=tls, trust_env=False, timeout=timeout, limits=limits
    ) as client:
        app.extensions[_KEY] = Forwarding(client, settings.cluster_keys, node)
        yield
