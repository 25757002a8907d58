"""The access hashes under which this login may write to people, renewed if they belong to an earlier login."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from telethon.tl import functions

from session_worker.telegram.connection.session_memory import Names
from session_worker.telegram.errors import PeerUnknown, Refused
from session_worker.telegram.reading.dialogs import Dialogs
from session_worker.telegram.sending.markup import UNNAMED_HASH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from session_worker.telegram.sending.flood_control import FloodControl

logger = logging.getLogger(__name__)


class Telegram(Protocol):
    """What looking up access hashes needs of the account."""

    async def ask(self, request: Any) -> Any: ...

    def access_hash(self, peer_id: int) -> int | None: ...

    def names(self, peer_id: int) -> Names | None: ...


class AccessHashes:
    """Finds the access hash under which the present login may address somebody.

    Every answer of Telegram's contains the hashes of the people it mentions, so it is enough to ask
    for something that mentions the person.
    """

    def __init__(self, telegram: Telegram, flood_control: FloodControl) -> None:
        self._telegram = telegram
        self._flood_control = flood_control
        self._dialogs = Dialogs()
        self._lock = asyncio.Lock()

    def knows(self, peer_id: int) -> bool:
        """Whether this number knows somebody, even from an earlier login."""
        return self._telegram.names(peer_id) is not None

    async def get(self, peer_id: int) -> int:
        """Return the known access hash, or look it up; raise PeerUnknown if there is none."""
        known = self._telegram.access_hash(peer_id)
        return await self.renew(peer_id, None) if known is None else known

    async def renew(self, peer_id: int, stale: int | None) -> int:
        """Return an access hash other than the rejected one; raise PeerUnknown if there is none."""
        async with self._lock:
            async for known in self._known_after_each_request(peer_id):
                if known not in (None, stale):
                    return known
        raise PeerUnknown("PEER_ID_INVALID")

    async def _known_after_each_request(self, peer_id: int) -> AsyncIterator[int | None]:
        yield self._telegram.access_hash(peer_id)
        while (request := self._dialogs.next_request) is not None:
            self._dialogs.take(await self._ask(request, peer_id))
            yield self._telegram.access_hash(peer_id)
        names = self._telegram.names(peer_id) or Names()
        if names.username:
            # If the name now belongs to somebody else, it is their hash that becomes known.
            await self._ask(functions.contacts.ResolveUsernameRequest(names.username), peer_id)
            yield self._telegram.access_hash(peer_id)
        if names.phone:
            await self._ask(functions.contacts.ResolvePhoneRequest(names.phone), peer_id)
            yield self._telegram.access_hash(peer_id)

    async def _ask(self, request: Any, peer_id: int) -> Any:
        """Ask; return None if Telegram rejects the request, because another way may succeed."""
        try:
            return await self._flood_control.ask(self._telegram.ask, request, peer_id)
        except (PeerUnknown, Refused) as refusal:
            logger.info("%s for %s: %s", type(request).__name__, peer_id, refusal)
            return None


class AccessHashesOfBot(AccessHashes):
    """Names people and groups without a hash, as a bot may do with all that it has met."""

    async def get(self, peer_id: int) -> int:
        known = self._telegram.access_hash(peer_id)
        return UNNAMED_HASH if known is None else known

    async def renew(self, peer_id: int, stale: int | None) -> int:
        """Try without a hash; raise PeerUnknown if that is what was refused."""
        if stale == UNNAMED_HASH:
            logger.info("Telegram does not know %s as somebody whom this bot has met", peer_id)
            raise PeerUnknown("PEER_ID_INVALID")
        return UNNAMED_HASH
