"""Importing Telethon's session files."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession
from telethon.tl import types

from supervisor.errors import (
    SessionFileBroken,
    SessionFileMissing,
    SessionPathForbidden,
)
from supervisor.login.session_transfer import ImportedSession, read_session_file
from supervisor.store.values import Entity, Session, UpdateState

if TYPE_CHECKING:
    from pathlib import Path

KEY = bytes(range(256))
DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "sessions"
    (folder / "acme").mkdir(parents=True)
    write_session(folder / "acme" / "main.session")
    return folder


def write_session(path: Path) -> None:
    """Let Telethon itself write the file."""
    session = SQLiteSession(str(path))
    session.set_dc(4, "149.154.167.91", 443)
    session.auth_key = AuthKey(KEY)
    session.set_update_state(0, types.updates.State(10, 20, DATE, 30, unread_count=0))
    session.set_update_state(5, types.updates.State(99, 99, DATE, 99, unread_count=0))
    user = types.User(
        id=777, access_hash=-5, username="Anna", phone="79007654321", first_name="Анна"
    )
    session.process_entities([user])
    session.save()
    session.close()


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


async def test_telethons_file_is_read(root: Path) -> None:
    """Key, data centre, place in the updates, peers with access hashes: all of it comes over."""
    imported = await read_session_file(root, "acme", "main")

    date = int(DATE.timestamp())
    assert imported == ImportedSession(
        Session(4, "149.154.167.91", 443, KEY, None, UpdateState(10, 20, date, 30)),
        (Entity(777, -5, "anna", "79007654321", "Анна"),),
    )


@pytest.mark.parametrize(
    ("path_session", "name_session"),
    [
        ("acme", "main.session"),
        ("acme/", "main"),
        ("./acme", "main"),
        (None, "acme/main"),
        ("acme/main.session", None),
        ("acme/main", ""),
        ("acme/../acme", "main"),
        ("{root}/acme", "main"),
    ],
)
async def test_name_may_be_told_in_several_ways(
    root: Path, path_session: str | None, name_session: str | None
) -> None:
    """Folder, name, ending, a path from the top: what leads to the file inside is taken."""
    path = path_session.format(root=root) if path_session else None

    imported = await read_session_file(root, path, name_session)

    assert imported.session.auth_key == KEY


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
async def test_file_stays_untouched(root: Path, journal_mode: str) -> None:
    """After the import the folder is as it was to the byte, even where it can't be written."""
    file = root / "acme" / "main.session"
    change(file, f"PRAGMA journal_mode={journal_mode}")
    before = file.read_bytes(), file.stat().st_mtime_ns

    await read_session_file(root, "acme", "main")

    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [entry.name for entry in file.parent.iterdir()] == ["main.session"]


@pytest.mark.parametrize(
    ("path_session", "name_session"),
    [
        ("..", "secret"),
        ("acme/../..", "secret"),
        ("acme", "../../secret"),
        ("{root}/..", "secret"),
        ("{root}-other", "secret"),
        ("/etc", "passwd"),
        ("/", "secret"),
        ("link", "secret"),
        ("acme", "linked"),
        ("chain", "main"),
        ("acme\0", "main"),
        ("acme", "main\0.session"),
        ("acme", "main\ud800"),
    ],
)
async def test_path_that_leaves_is_forbidden(
    root: Path, path_session: str, name_session: str
) -> None:
    """Neither dots, absolute paths, links nor NULs lead outside SESSION_ROOT."""
    write_session(root.parent / "secret.session")
    (root.parent / "sessions-other").mkdir()
    write_session(root.parent / "sessions-other" / "secret.session")
    (root / "link").symlink_to(root.parent)
    (root / "chain").symlink_to("acme")
    (root / "acme" / "linked.session").symlink_to("../../secret.session")

    with pytest.raises(SessionPathForbidden, match="SESSION_ROOT"):
        await read_session_file(root, path_session.format(root=root), name_session)


PARTS = st.sampled_from(["..", ".", "acme", "link", "main", "secret", "", "deep", "/", "loop"])


@settings(max_examples=200)
@given(parts=st.lists(PARTS, min_size=1, max_size=7))
async def test_no_path_reads_outside(root: Path, parts: list[str]) -> None:
    """Whatever a path is put together from, the secret outside is never read."""
    outside = root.parent / "secret.session"
    if not outside.exists():
        write_session(outside)
        change(outside, "UPDATE sessions SET dc_id = 1")
        (root / "deep").mkdir()
        (root / "deep" / "link").symlink_to("../..")
        (root / "link").symlink_to(root.parent)
        (root / "loop").symlink_to("loop")
    path = "/".join(parts)
    assume(path)

    try:
        imported = await read_session_file(root, path, None)
    except (SessionPathForbidden, SessionFileMissing):
        return

    assert imported.session.dc_id == 4


@pytest.mark.parametrize(
    "name", ["nobody", "acme", "main/deeper", "main.session/deeper", "x" * 300]
)
async def test_missing_file_is_told(root: Path, name: str) -> None:
    """A name that leads to no file is `SessionFileMissing`."""
    with pytest.raises(SessionFileMissing):
        await read_session_file(root, "acme", name)


async def test_missing_root_is_told(tmp_path: Path) -> None:
    """Before the first session there may be no folder at all."""
    with pytest.raises(SessionFileMissing):
        await read_session_file(tmp_path / "nowhere", None, "main")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE sessions SET auth_key = x''", "not logged in"),
        ("DELETE FROM sessions", "not logged in"),
        ("UPDATE sessions SET auth_key = x'00ff'", "its key is damaged"),
        ("UPDATE sessions SET auth_key = 'text'", "its key is damaged"),
        ("UPDATE sessions SET port = 0", "no data centre"),
        ("UPDATE sessions SET port = 'x'", "invalid literal"),
        ("UPDATE sessions SET server_address = ''", "no data centre"),
        ("UPDATE version SET version = 99", "version 99, known are 1 to 8"),
        ("DELETE FROM version", "version 0"),
        ("DROP TABLE version", "not a session file of Telethon"),
        ("DROP TABLE entities", "not a session file of Telethon"),
        ("DROP TABLE update_state", "no such table"),
        ("UPDATE update_state SET pts = 1 << 31 WHERE id = 0", "position"),
        ("UPDATE sessions SET dc_id = 1 << 31", "no data centre"),
        ("INSERT INTO entities VALUES (1, 'x', NULL, NULL, NULL, NULL)", "invalid literal"),
    ],
)
async def test_broken_content_is_told(root: Path, statement: str, words: str) -> None:
    """What is wrong with a file is said in words, nothing being taken from it."""
    change(root / "acme" / "main.session", statement)

    with pytest.raises(SessionFileBroken, match=words):
        await read_session_file(root, "acme", "main")


async def test_name_with_nul_is_stored_without_it(root: Path) -> None:
    """No database has to store what PostgreSQL cannot."""
    change(root / "acme" / "main.session", "UPDATE entities SET name = 'An' || char(0) || 'na'")

    imported = await read_session_file(root, "acme", "main")

    assert [each.name for each in imported.entities] == ["Anna"]


async def test_view_for_a_table_is_refused(root: Path) -> None:
    """A file that would let us run its own queries is none of Telethon's."""
    change(
        root / "acme" / "main.session",
        "ALTER TABLE sessions RENAME TO hidden",
        "CREATE VIEW sessions AS SELECT * FROM hidden",
    )

    with pytest.raises(SessionFileBroken, match="not a session file of Telethon"):
        await read_session_file(root, "acme", "main")


async def test_truncated_file_is_told(root: Path) -> None:
    """A file cut off anywhere is refused or, cut after its last page, whole."""
    file = root / "acme" / "main.session"
    whole = file.read_bytes()

    for length in range(0, len(whole), 509):
        file.write_bytes(whole[:length])
        with pytest.raises(SessionFileBroken):
            await read_session_file(root, "acme", "main")


@settings(max_examples=150)
@given(data=st.data())
async def test_garbled_file_breaks_nothing(root: Path, data: st.DataObject) -> None:
    """Whatever bytes a file has, it is read or refused, never more."""
    whole = bytearray((root / "acme" / "main.session").read_bytes())
    places = data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=20))
    for place in places:
        whole[place] = data.draw(st.integers(0, 255))
    (root / "garbled.session").write_bytes(whole)

    try:
        imported = await read_session_file(root, None, "garbled")
    except SessionFileBroken:
        return

    assert len(imported.session.auth_key) == 256


@pytest.mark.parametrize("journal", ["-journal", "-wal"])
async def test_file_in_use_is_refused(root: Path, journal: str) -> None:
    """A file whose last changes still lie beside it would be read wrongly."""
    (root / "acme" / f"main.session{journal}").write_bytes(b"changes")

    with pytest.raises(SessionFileBroken, match="open"):
        await read_session_file(root, "acme", "main")


async def test_what_is_no_file_is_refused(root: Path) -> None:
    """A FIFO does not make us wait, a folder is not read."""
    os.mkfifo(root / "fifo.session")
    (root / "folder.session").mkdir()
    lowest = os.dup(0)
    os.close(lowest)

    for name in ("fifo", "folder"):
        with pytest.raises(SessionFileBroken, match="not a regular file"):
            await read_session_file(root, None, name)

    # Descriptors are given out from the lowest: none may have been left open.
    again = os.dup(0)
    os.close(again)
    assert again == lowest


async def test_huge_file_is_refused(root: Path) -> None:
    """A file larger than any session is not read into memory."""
    with (root / "huge.session").open("wb") as file:
        file.truncate(65 << 20)

    with pytest.raises(SessionFileBroken, match="64 MB"):
        await read_session_file(root, None, "huge")


async def test_old_file_gives_what_it_has(root: Path) -> None:
    """A file of version 3 knows no update state; its access hashes may be wrong."""
    change(
        root / "acme" / "main.session",
        "UPDATE version SET version = 3",
        "DROP TABLE update_state",
    )

    imported = await read_session_file(root, "acme", "main")

    assert imported == ImportedSession(Session(4, "149.154.167.91", 443, KEY), ())
