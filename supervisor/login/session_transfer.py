"""Imports and exports Telethon sessions."""

from __future__ import annotations

import asyncio
import binascii
import ipaddress
import logging
import re
import struct
from base64 import b64decode, urlsafe_b64encode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from supervisor.errors import NotLoggedIn, SessionFileMissing, SessionInUse, SessionStringBroken
from supervisor.login.session_file import ImportedSession, read_session_file
from supervisor.store.values import Session

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


_VERSION = "1"
_LAYOUTS = {struct.calcsize(layout): layout for layout in (">B4sH256s", ">B16sH256s")}
_LETTERS = re.compile(r"[\w-]+=*", re.ASCII)


def read_string_session(text: str) -> Session:
    packed = _unpack(text.strip())
    dc_id, address, port, auth_key = struct.unpack(_LAYOUTS[len(packed)], packed)
    if not (dc_id and port and any(auth_key)):
        raise SessionStringBroken("it holds no login")
    return Session(dc_id, str(ipaddress.ip_address(address)), port, auth_key)


def write_string_session(session: Session) -> str:
    try:
        address = ipaddress.ip_address(session.server_address).packed
        layout = f">B{len(address)}sH256s"
        packed = struct.pack(layout, session.dc_id, address, session.port, session.auth_key)
    except (ValueError, struct.error) as exc:  # its worker may have made it up
        raise NotLoggedIn("The number's login does not fit into a StringSession.") from exc
    return _VERSION + urlsafe_b64encode(packed).decode()


def _unpack(text: str) -> bytes:
    if text[:1] != _VERSION or not _LETTERS.fullmatch(text):
        raise SessionStringBroken
    try:
        packed = b64decode(text[1:], b"-_", validate=True)
    except binascii.Error as exc:
        raise SessionStringBroken from exc
    if len(packed) not in _LAYOUTS:
        raise SessionStringBroken(f"{len(packed)} bytes")
    return packed
