"""One-time links with which clients log their numbers in by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from supervisor.encryption.vault import hash_token, new_token
from supervisor.errors import LinkDead

if TYPE_CHECKING:
    from supervisor.config import Config
    from supervisor.store.store import Store
    from supervisor.store.values import LoginLink


class MadeLink(NamedTuple):
    """The secret of a new link, which is shown only once."""

    secret: str
    expires_at: datetime


class LoginLinks:
    """Each number has at most one link: a new one replaces the previous one."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def make(self, number: str) -> MadeLink:
        await self._store.numbers.get(number)
        made = MadeLink(new_token(), _now() + timedelta(seconds=self._config.link_lifetime))
        await self._store.login_links.save(number, hash_token(made.secret), made.expires_at)
        return made

    async def open(self, secret: str) -> LoginLink:
        """Return the link with this secret; raise LinkDead if there is none or it has expired."""
        link = await self._store.login_links.find(hash_token(secret))
        if link is None or link.expires <= _now():
            raise LinkDead
        return link


def _now() -> datetime:
    return datetime.now(UTC)
