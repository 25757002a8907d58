"""Which number a token opens; tokens in use are kept in memory, so that no message needs a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.encryption.vault import hash_token

if TYPE_CHECKING:
    from supervisor.store.numbers import Numbers

_MOST = 10_000


class TokenCache:
    """Remembers which number a token opens, until that number gets a new token."""

    def __init__(self, numbers: Numbers, most: int = _MOST) -> None:
        """Remember at most so many tokens: none if another node may give a number a new token."""
        self._most = most
        self._numbers = numbers
        self._opened: dict[bytes, str] = {}
        self._generation = 0

    async def opens(self, number: str, token: str) -> bool:
        return await self._numbers.get_with_token(number, token) is not None

    async def number_of(self, token: str, channel: str | None = None) -> str | None:
        """Return the number that the token opens: its own, or the one that the call names."""
        own = await self._own_number(token)
        if own is None or channel in {None, own}:
            return own
        # Not remembered: the number may have moved to another Planfix account a moment ago.
        return channel if await self._numbers.share_planfix(own, channel) else None

    def forget(self, number: str) -> None:
        """Forget the token of a number that has a new one."""
        self._generation += 1
        self._opened = {digest: of for digest, of in self._opened.items() if of != number}

    async def _own_number(self, token: str) -> str | None:
        digest = hash_token(token)
        if digest in self._opened:
            return self._opened[digest]
        generation = self._generation
        found = await self._numbers.find_by_token(token)
        if found is None:
            return None
        # A token that was read before a change must not be remembered after it.
        if generation == self._generation and len(self._opened) < self._most:
            self._opened[digest] = found.number
        return found.number
