"""Imports Telethon sessions from texts and from files below SESSION_ROOT, and exports them as texts."""

from __future__ import annotations

import asyncio
import binascii
import errno
import ipaddress
import itertools
import logging
import os
import re
import sqlite3
import stat
import struct
from base64 import b64decode, urlsafe_b64encode
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from supervisor.errors import (
    NotLoggedIn,
    SessionFileBroken,
    SessionFileMissing,
    SessionInUse,
    SessionPathForbidden,
    SessionStringBroken,
)
from supervisor.file_access import OutsideRoot, open_inside
from supervisor.store.values import Entity, Session, UpdateState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.store.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionSource:
    """Where a session comes from: a file under SESSION_ROOT, or the session itself as text."""

    name: str | None = None
    path: str | None = None
    string: str | None = field(default=None, repr=False)


class SessionTransfer:
    """Imports sessions of Telethon and exports our own."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config

    async def read(self, number: str, source: SessionSource) -> ImportedSession | None:
        """Return the session that the source names, if it names one.

        One that another number has is refused here, before the number is disturbed, and once more
        in the transaction that stores it.
        """
        imported = await self._read(source)
        sessions = self._store.sessions
        if imported and await sessions.is_held_by_another(number, imported.session.auth_key):
            raise SessionInUse
        return imported

    async def keep_entities(self, number: str, imported: ImportedSession | None) -> None:
        if imported is not None and imported.entities:
            epoch = (await self._store.numbers.get(number)).epoch
            await self._store.entities.save(number, epoch, imported.entities)

    async def _read(self, source: SessionSource) -> ImportedSession | None:
        if source.string is not None:
            return ImportedSession(read_string_session(source.string), ())
        if source.name is None and source.path is None:
            return None
        root = self._config.session_root
        try:
            return await read_session_file(root, source.path, source.name)
        except SessionFileMissing:
            logger.warning("no session file %s: the login is left as it is", source.name)
            return None

    async def read_as_text(self, source: SessionSource) -> str | None:
        """Return the session of a file as text; None if no file is named, or if it is not on this node."""
        if source.name is None and source.path is None:
            return None
        imported = await self._read(source)
        return None if imported is None else write_string_session(imported.session)

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
    except (ValueError, struct.error) as exc:  # a hostile worker may have reported anything
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


_SUFFIX = ".session"
_NO_SUCH_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
_MOST_BYTES = 64 << 20
_AUTH_KEY_BYTES = 256
_LARGEST_INT = 2**31 - 1  # as Telegram's protocol has it, and PostgreSQL's columns
_VERSIONS = range(1, 9)
_FIRST_WITH_UPDATES = 4
_FIRST_WITH_GOOD_HASHES = 6
_MOST_STEPS = 100_000_000  # of SQLite's virtual machine; a valid file of the largest size needs a tenth of them
_ACCOUNT = 0  # the row of update_state that belongs to the account, not to a channel


@dataclass(frozen=True, slots=True)
class ImportedSession:
    """The content of a session file."""

    session: Session
    entities: tuple[Entity, ...]


async def read_session_file(
    root: Path, path_session: str | None, name_session: str | None
) -> ImportedSession:
    """Read the file under SESSION_ROOT that the two fields of the webhook name."""
    if (name_session or path_session or "").rpartition("/")[2] == "..":
        raise SessionPathForbidden  # check before the suffix turns it into a harmless name
    return await asyncio.to_thread(_read, root, file_name(path_session, name_session))


def file_name(path_session: str | None, name_session: str | None) -> str:
    name = "/".join(part for part in (path_session, name_session) if part)
    return name if name.endswith(_SUFFIX) else name + _SUFFIX


def _read(root: Path, name: str) -> ImportedSession:
    image = _read_closed_file(root, name)
    # In memory, SQLite can neither write next to the file nor open another file by its name.
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            _load(database, image)
            return _parse(database)
        except (sqlite3.Error, TypeError, ValueError, OverflowError) as exc:
            raise SessionFileBroken(str(exc)) from exc


def _read_closed_file(root: Path, name: str) -> bytes:
    try:
        with _opened(root, name) as file:
            image = file.read(_MOST_BYTES + 1)
        if any(_has_content(root, name + journal) for journal in ("-journal", "-wal")):
            raise SessionFileBroken("a program still has it open")
    except OutsideRoot as exc:
        raise SessionPathForbidden from exc
    except OSError as exc:
        if exc.errno in _NO_SUCH_FILE:
            raise SessionFileMissing(name) from exc
        raise SessionFileBroken(exc.strerror) from exc
    if len(image) > _MOST_BYTES:
        raise SessionFileBroken(f"more than {_MOST_BYTES >> 20} MB")
    return image


@contextmanager
def _opened(root: Path, name: str) -> Iterator[BinaryIO]:
    descriptor = open_inside(root, name)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SessionFileBroken("it is not a regular file")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def _has_content(root: Path, name: str) -> bool:
    try:
        with _opened(root, name) as file:
            return bool(file.read(1))
    except FileNotFoundError:
        return False


def _load(database: sqlite3.Connection, image: bytes) -> None:
    if image[:16] != b"SQLite format 3\0":
        raise SessionFileBroken("it is not an SQLite file")
    # Bytes 18 and 19 tell whether it uses a WAL: such a file cannot be read in memory, and its WAL is empty.
    database.deserialize(image[:18] + b"\1\1" + image[20:])
    database.execute("PRAGMA trusted_schema = OFF")
    steps = itertools.count()
    database.set_progress_handler(lambda: next(steps) > _MOST_STEPS // 10_000, 10_000)
    [(verdict,), *_] = database.execute("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise SessionFileBroken("damaged")


def _parse(database: sqlite3.Connection) -> ImportedSession:
    version = _version(database)
    session = _session(database, version)
    if version < _FIRST_WITH_GOOD_HASHES:
        return ImportedSession(session, ())
    rows = database.execute("SELECT id, hash, username, phone, name FROM entities")
    return ImportedSession(session, tuple(_entity(*row) for row in rows))


def _version(database: sqlite3.Connection) -> int:
    tables = dict(database.execute("SELECT name, type FROM sqlite_master"))
    if any(tables.get(name) != "table" for name in ("version", "sessions", "entities")):
        raise SessionFileBroken("it is not a session file of Telethon")
    row = database.execute("SELECT version FROM version").fetchone()
    version = int(row[0]) if row else 0
    if version not in _VERSIONS:
        raise SessionFileBroken(f"version {version}, known are 1 to {_VERSIONS[-1]}")
    return version


def _session(database: sqlite3.Connection, version: int) -> Session:
    row = database.execute("SELECT dc_id, server_address, port, auth_key FROM sessions").fetchone()
    if row is None or not row[3]:
        raise SessionFileBroken("not logged in")
    dc_id, server_address, port, auth_key = row
    if not isinstance(auth_key, bytes) or len(auth_key) != _AUTH_KEY_BYTES:
        raise SessionFileBroken("its key is damaged")
    if not server_address or not 0 < int(port) < 1 << 16 or not 0 < int(dc_id) <= _LARGEST_INT:
        raise SessionFileBroken("it names no data centre")
    updates = _updates(database) if version >= _FIRST_WITH_UPDATES else None
    return Session(int(dc_id), _text(server_address) or "", int(port), auth_key, updates=updates)


def _updates(database: sqlite3.Connection) -> UpdateState | None:
    query = "SELECT pts, qts, date, seq FROM update_state WHERE id = ?"
    row = database.execute(query, (_ACCOUNT,)).fetchone()
    if row is None:
        return None
    values = [int(value) for value in row]
    if any(abs(value) > _LARGEST_INT for value in values):
        raise SessionFileBroken("its position in Telegram's updates is damaged")
    return UpdateState(*values)


def _entity(peer_id: Any, access_hash: Any, username: Any, phone: Any, name: Any) -> Entity:
    return Entity(int(peer_id), int(access_hash), _text(username), _text(phone), _text(name))


def _text(value: Any) -> str | None:
    # PostgreSQL stores no NUL.
    return None if value is None else str(value).replace("\0", "")
