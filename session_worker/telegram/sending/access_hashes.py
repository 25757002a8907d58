"""The keys under which people may be written to: each login has its own, an earlier one's are renewed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from telethon.tl import functions

from session_worker.telegram.connection.session_memory import Names
from session_worker.telegram.errors import PeerUnknown, Refused
from session_worker.telegram.reading.dialogs import Dialogs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from session_worker.telegram.sending.flood_control import FloodControl

logger = logging.getLogger(__name__)


class Telegram(Protocol):
    """What renewing needs of the account."""

    async def ask(self, request: Any) -> Any: ...

    def access_hash(self, peer_id: int) -> int | None: ...

    def names(self, peer_id: int) -> Names | None: ...


class AccessHashes:
    """Finds out under which access hash the present login may address somebody.

    Every answer of Telegram's tells the account the hashes of those named in it, so it is enough
    to ask for something that names the person.
    """

    def __init__(self, telegram: Telegram, flood_control: FloodControl) -> None:
        self._telegram = telegram
        self._flood_control = flood_control
        self._dialogs = Dialogs()
        self._lock = asyncio.Lock()

    def knows(self, peer_id: int) -> bool:
        """Whether this number has met somebody, be it under an earlier login."""
        return self._telegram.names(peer_id) is not None

    async def get(self, peer_id: int) -> int:
        """Return the access hash that is known, or else looked up; raise PeerUnknown if in vain."""
        known = self._telegram.access_hash(peer_id)
        return await self.renew(peer_id, None) if known is None else known

    async def renew(self, peer_id: int, stale: int | None) -> int:
        """Return another access hash than the one Telegram refused; raise PeerUnknown if in vain."""
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
            # If the name has passed to somebody else, it is their hash that becomes known.
            await self._ask(functions.contacts.ResolveUsernameRequest(names.username), peer_id)
            yield self._telegram.access_hash(peer_id)
        if names.phone:
            await self._ask(functions.contacts.ResolvePhoneRequest(names.phone), peer_id)
            yield self._telegram.access_hash(peer_id)

    async def _ask(self, request: Any, peer_id: int) -> Any:
        """Ask; None when Telegram refuses, for another way may succeed."""
        try:
            return await self._flood_control.ask(self._telegram.ask, request, peer_id)
        except (PeerUnknown, Refused) as refusal:
            logger.info("%s for %s: %s", type(request).__name__, peer_id, refusal)
            return None
