"""The tokens that were used lately, so that a busy number's is not read for each message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.encryption.tokens import hash_token

if TYPE_CHECKING:
    from supervisor.store.numbers import Numbers

_MOST = 10_000


class TokenCache:
    """Remembers which number a token belongs to, until that number gets another token."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._opened: dict[bytes, str] = {}
        self._generation = 0

    async def number_of(self, token: str) -> str | None:
        digest = hash_token(token)
        if digest in self._opened:
            return self._opened[digest]
        generation = self._generation
        found = await self._numbers.find_by_token(token)
        if found is None:
            return None
        # A token that was read before a change must not be remembered after it.
        if generation == self._generation and len(self._opened) < _MOST:
            self._opened[digest] = found.number
        return found.number

    def forget(self, number: str) -> None:
        """Read this number's token again next time, since it has changed."""
        self._generation += 1
        self._opened = {digest: of for digest, of in self._opened.items() if of != number}
