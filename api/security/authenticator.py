"""Who may do what: the admin key, the token of a number, a brake on guessing."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING

from api.requests.errors import too_many_attempts, unauthorized
from api.security.client_address import Proxies, find_caller, neighbourhood
from supervisor.errors import NumberUnknown

if TYPE_CHECKING:
    from quart import Request

    from supervisor.gateway import Gateway

logger = logging.getLogger(__name__)

BURST = 100  # wrong keys an address may present before it is slowed down
REFILL = 1.0  # seconds until one more wrong key is looked at
MOST_ADDRESSES = 10_000


class GuessLimit:
    """Counts the wrong keys of each address; what is counted fades with time."""

    def __init__(self, burst: int = BURST, refill: float = REFILL) -> None:
        self._burst = burst
        self._refill = refill
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, address: str, now: float) -> None:
        self._spent[address] = (self._faded(address, now) + 1, now)
        self._spent.move_to_end(address)
        if len(self._spent) > MOST_ADDRESSES:
            self._spent.popitem(last=False)

    def wait(self, address: str, now: float) -> float:
        """Say after how many seconds this address may guess again; 0 if it may now."""
        over = self._faded(address, now) - self._burst + 1
        return max(0.0, over * self._refill)

    def _faded(self, address: str, now: float) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - (now - at) / self._refill)


class Authenticator:
    """Lets in whoever presents the right key."""

    def __init__(self, admin_key: str, gateway: Gateway, proxies: Proxies) -> None:
        self._admin_key_hash = _hash(admin_key)
        self._gateway = gateway
        self._proxies = proxies
        self._limit = GuessLimit()

    def require_operator(self, request: Request) -> None:
        # Compared before the brake: a guesser may have the operator's address too.
        if not self._is_admin(presented_key(request)):
            self._slow_down(request)
            raise self._refuse(request)

    async def require_token(self, request: Request, token: str, channel: str | None) -> str:
        """Return the number that is meant, if this token opens it."""
        number = await self._gateway.tokens.number_of(token, channel)
        if number is None:
            self._slow_down(request)
            raise self._refuse(request)
        return number

    async def admit_channel(self, request: Request, channel: str | None) -> str:
        """Return the number that is meant, if the key of the headers opens it."""
        key = presented_key(request)
        if channel is None or not self._is_admin(key):
            return await self.require_token(request, key, channel)
        try:
            return (await self._gateway.show(channel)).number
        except NumberUnknown as exc:
            raise unauthorized() from exc

    async def require_either(self, request: Request, number: str) -> bool:
        """Say whether it is the operator who came in."""
        # A token can not be guessed, so its owner is never kept out by a neighbour's guesses.
        key = presented_key(request)
        if await self._gateway.tokens.opens(number, key):
            return False
        self.require_operator(request)
        return True

    def _is_admin(self, key: str) -> bool:
        # Hashed, so that the time of a comparison tells nothing of the key's length either.
        return hmac.compare_digest(_hash(key), self._admin_key_hash)

    def _slow_down(self, request: Request) -> None:
        wait = self._limit.wait(neighbourhood(self._caller(request)), _now())
        if wait > 0:
            raise too_many_attempts(int(wait) + 1)

    def _refuse(self, request: Request) -> Exception:
        caller, now = self._caller(request), _now()
        self._limit.count(neighbourhood(caller), now)
        if self._limit.wait(neighbourhood(caller), now):
            logger.warning("too many wrong keys from %s", caller)
        return unauthorized()

    def _caller(self, request: Request) -> str:
        forwarded = request.headers.getlist("X-Forwarded-For")
        return find_caller(request.remote_addr, forwarded, self._proxies)


def presented_key(request: Request) -> str:
    """Read the key, from `Authorization` before `Token`; none at all is no guess."""
    key = _authorization(request.headers.get("Authorization", "").strip())
    key = key or request.headers.get("Token", "").strip()
    if not key:
        raise unauthorized()
    return key


def _authorization(header: str) -> str:
    """Take the key out of `Bearer KEY` or of a bare `KEY`; another scheme brings none."""
    scheme, separator, key = header.partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    return "" if separator else scheme


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()


def _now() -> float:
    return asyncio.get_running_loop().time()
