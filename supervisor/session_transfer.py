"""Logins that come from outside, or leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.errors import NotLoggedIn
from supervisor.session_file import ImportedSession, read_session_file
from supervisor.string_session import read_string_session, write_string_session

if TYPE_CHECKING:
    from supervisor.config import Config
    from supervisor.draft import SessionName
    from supervisor.store import Store


class SessionTransfer:
    """Takes in Telethon's sessions, gives out our own."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def read(self, named: SessionName) -> ImportedSession | None:
        """Read what the call brings along or names, if anything."""
        if named.string_session is not None:
            return ImportedSession(read_string_session(named.string_session), ())
        if named.name_session is None and named.path_session is None:
            return None
        root = self._config.session_root
        return await read_session_file(root, named.path_session, named.name_session)

    async def keep(self, number: str, imported: ImportedSession | None) -> None:
        if imported is None:
            return
        epoch = (await self._store.numbers.get(number)).epoch
        await self._store.sessions.save(number, epoch, imported.session)
        await self._store.entities.save(number, epoch, imported.entities)

    async def export(self, number: str) -> str:
        await self._store.numbers.get(number)
        session = await self._store.sessions.load(number)
        if session is None:
            raise NotLoggedIn
        return write_string_session(session)
