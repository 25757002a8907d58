"""Writes a session of the sandbox as the session file that a client brings along."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from supervisor.login.session_transfer import read_string_session

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 8
_TABLES = """
CREATE TABLE version (version integer primary key);
CREATE TABLE sessions (
    dc_id integer primary key, server_address text, port integer,
    auth_key blob, takeout_id integer, tmp_auth_key blob
);
CREATE TABLE entities (
    id integer primary key, hash integer not null, username text,
    phone integer, name text, date integer
);
CREATE TABLE sent_files (
    md5_digest blob, file_size integer, type integer, id integer, hash integer,
    primary key(md5_digest, file_size, type)
);
CREATE TABLE update_state (
    id integer primary key, pts integer, qts integer, date integer, seq integer
);
"""


def write_session_file(path: Path, string_session: str) -> None:
    session = read_string_session(string_session)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(_TABLES)
        file.execute("INSERT INTO version VALUES (?)", (_VERSION,))
        row = (session.dc_id, session.server_address, session.port, session.auth_key)
        file.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, NULL, NULL)", row)
