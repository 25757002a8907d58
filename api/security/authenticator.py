"""Who may do what: the admin key, the token of a number, and a limit on guesses of keys."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import math
from collections import OrderedDict
from typing import TYPE_CHECKING

from api.requests.errors import key_missing, too_many_attempts, too_many_changes, unauthorized
from api.security.client_address import Proxies, find_caller, neighbourhood
from supervisor.errors import NumberUnknown

if TYPE_CHECKING:
    from quart import Request

    from supervisor.gateway import Gateway
    from supervisor.store.values import Bot

logger = logging.getLogger(__name__)

BURST = 100  # wrong keys that an address may present before it must wait
REFILL = 1.0  # seconds after which one wrong key is forgotten
MOST_ADDRESSES = 10_000
CHANGES = 300  # recorded actions of a client on one number, before the next must wait
CHANGE_REFILL = 2.0  # seconds after which one of them is forgotten


class FadingLimit:
    """Counts the wrong keys of each address, or the changes of each number; the count decreases with time."""

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
        """Return after how many seconds this address may try again; 0 means now."""
        over = self._faded(address, now) - self._burst + 1
        return max(0.0, over * self._refill)

    def _faded(self, address: str, now: float) -> float:
        spent, at = self._spent.get(address, (0.0, now))
        return max(0.0, spent - (now - at) / self._refill)


class Authenticator:
    """Admits callers with the right key."""

    def __init__(self, admin_key: str, gateway: Gateway, proxies: Proxies) -> None:
        self._admin_key_hash = _hash(admin_key)
        self._gateway = gateway
        self._proxies = proxies
        self._limit = FadingLimit()
        self._changes = FadingLimit(CHANGES, CHANGE_REFILL)

    def require_operator(self, request: Request) -> None:
        # Compared before the limit is applied: an attacker may share the operator's address.
        if not self._is_admin(presented_key(request)):
            self._check_limit(request)
            raise self._refuse(request)

    async def require_token(self, request: Request, token: str, channel: str | None) -> str:
        """Return the number that the call means, if this token is valid for it."""
        number = await self._gateway.tokens.number_of(token, channel)
        if number is None:
            self._check_limit(request)
            raise self._refuse(request)
        return number

    async def require_bot(self, request: Request, telegram_token: str) -> Bot:
        """Return the bot that has this token at Telegram."""
        bot = await self._gateway.bots.find_by_token(telegram_token)
        if bot is None:
            self._check_limit(request)
            raise self._refuse(request)
        return bot

    async def admit_channel(self, request: Request, channel: str | None) -> str:
        """Return the number that the call means, if the key in the headers is valid for it."""
        key = presented_key(request)
        if channel is None or not self._is_admin(key):
            return await self.require_token(request, key, channel)
        try:
            return (await self._gateway.show(channel)).number
        except NumberUnknown as exc:
            raise unauthorized() from exc

    async def require_either(self, request: Request, number: str) -> bool:
        """Admit the operator or the owner of the number; return whether it is the operator."""
        # A token cannot be guessed, so its owner is never refused because of a neighbour's guesses.
        key = presented_key(request)
        if await self._gateway.tokens.opens(number, key):
            return False
        self.require_operator(request)
        return True

    def count_guess(self, request: Request) -> None:
        """Count a wrong key of a node; raise if this address has presented too many wrong keys."""
        self._check_limit(request)
        self._count(request)

    def count_change(self, number: str) -> None:
        """Count what a client does to a number; raise if that is too much for its worker and the audit log."""
        wait = self._changes.wait(number, _now())
        if wait > 0:
            raise too_many_changes(math.ceil(wait))
        self._changes.count(number, _now())

    def _is_admin(self, key: str) -> bool:
        # Hashed, so that the time of the comparison does not reveal the length of the key either.
        return hmac.compare_digest(_hash(key), self._admin_key_hash)

    def _check_limit(self, request: Request) -> None:
        wait = self._limit.wait(neighbourhood(self.address_of(request)), _now())
        if wait > 0:
            raise too_many_attempts(math.ceil(wait))

    def _refuse(self, request: Request) -> Exception:
        self._count(request)
        return unauthorized()

    def _count(self, request: Request) -> None:
        caller, now = self.address_of(request), _now()
        self._limit.count(neighbourhood(caller), now)
        if self._limit.wait(neighbourhood(caller), now):
            logger.warning("too many wrong keys from %s", caller)

    def address_of(self, request: Request) -> str:
        """Return the address of the caller behind trusted proxies."""
        forwarded = request.headers.getlist("X-Forwarded-For")
        return find_caller(request.remote_addr, forwarded, self._proxies)


def presented_key(request: Request) -> str:
    """Read the key from `Authorization` or `Token`; a call without a key is not a guess."""
    key = _authorization(request.headers.get("Authorization", "").strip())
    key = key or request.headers.get("Token", "").strip()
    if not key:
        raise key_missing()
    return key


def _authorization(header: str) -> str:
    """Read the key of `Bearer KEY` or a plain `KEY`; other schemes carry no key."""
    scheme, separator, key = header.partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    return "" if separator else scheme


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="replace")).digest()


def _now() -> float:
    return asyncio.get_running_loop().time()
