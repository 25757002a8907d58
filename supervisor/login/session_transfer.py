"""Imports and exports Telethon sessions."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from supervisor.errors import NotLoggedIn, SessionFileMissing, SessionInUse
from supervisor.login.session_file import ImportedSession, read_session_file
from supervisor.string_session import read_string_session, write_string_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from supervisor.config import Config
    from supervisor.numbers.registration import SessionName
    from supervisor.store.store import Store

logger = logging.getLogger(__name__)


class SessionTransfer:
    """Takes in Telethon's sessions, gives out our own."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._importing = asyncio.Lock()

    @asynccontextmanager
    async def claim(self, number: str, named: SessionName) -> AsyncIterator[ImportedSession | None]:
        """Read what the call brings along or names, if anything, let nobody else take it meanwhile."""
        imported = await self._read(named)
        if imported is None:
            yield None
            return
        async with self._importing:
            if await self._store.sessions.is_held_by_another(number, imported.session.auth_key):
                raise SessionInUse
            yield imported

    async def keep(self, number: str, imported: ImportedSession | None) -> None:
        if imported is None:
            return
        epoch = (await self._store.numbers.get(number)).epoch
        await self._store.sessions.save(number, epoch, imported.session)
        await self._store.entities.save(number, epoch, imported.entities)

    async def _read(self, named: SessionName) -> ImportedSession | None:
        if named.string_session is not None:
            return ImportedSession(read_string_session(named.string_session), ())
        if named.name_session is None and named.path_session is None:
            return None
        root = self._config.session_root
        try:
            return await read_session_file(root, named.path_session, named.name_session)
        except SessionFileMissing:
            logger.warning("no session file %s: the login is left as it is", named.name_session)
            return None

    async def export(self, number: str) -> str:
        await self._store.numbers.get(number)
        session = await self._store.sessions.load(number)
        if session is None:
            raise NotLoggedIn
        return write_string_session(session)
