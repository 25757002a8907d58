"""What people wrote is erased in time; that it was delivered is known for longer."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, text

from session_worker.protocol.files import (
    incoming_file,
    incoming_folder,
    mark_of,
    photo_file,
    unmarked_file,
)
from session_worker.protocol.messages import Deliver, Delivered, Failed, Failure
from supervisor.config import Config
from supervisor.database import tables
from supervisor.errors import FileGone
from supervisor.journal.erasure import PURGED
from supervisor.messages.file_links import LinkedFiles, MessageFile
from supervisor.messages.message_service import Dispatchers
from supervisor.upkeep import Retention
from tests.unit.supervisor.rows import NUMBER, picture, received, sent

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from supervisor.store.store import Store
    from tests.unit.supervisor.conftest import RecordedDispatcher

DAYS = 30


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path, tmp_path / "sessions", 1, "hash", retention_days=DAYS)


@pytest.fixture
def retention(store: Store, config: Config) -> Retention:
    return Retention(store.erasure, store.history, store.alarms, config)


def days_later(days: float) -> datetime:
    return tables.now() + timedelta(days=days)


def make_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content")
    return path


async def test_contents_go_first_rows_later(
    recorded: RecordedDispatcher, retention: Retention, config: Config
) -> None:
    """Body and files go after the time set, the row after twice that, others stay."""
    await recorded.say(received(5, files=(picture(5),)), received(6), received(7))
    first, dead, pending = (order.row for order in recorded.told_of(Deliver))
    await recorded.say(
        Delivered(row=first), Failed(row=dead, failure=Failure(code="planfix_rejected"))
    )
    spool = config.spool_of(NUMBER)
    files = [make_file(incoming_folder(spool, row) / "0") for row in (first, pending)]

    await retention.erase(days_later(DAYS - 1))
    assert [entry.text for entry in await recorded.entries()] == [
        "message 7",
        "message 6",
        "message 5",
    ]
    assert files[0].exists()

    await retention.erase(days_later(DAYS + 1))
    texts = {entry.id: entry.text for entry in await recorded.entries()}
    assert texts == {first: None, dead: "message 6", pending: "message 7"}
    assert [file.exists() for file in files] == [False, True]
    await recorded.say(received(5))
    assert len(await recorded.entries()) == 3

    await retention.erase(days_later(2 * DAYS + 1))
    assert {entry.id for entry in await recorded.entries()} == {dead, pending}


async def test_first_worker_finds_no_files_of_another_database(
    recorded: RecordedDispatcher, config: Config
) -> None:
    """Files of rows that the database does not have are not taken for those of a new message."""
    await recorded.say(received(5, files=(picture(5),)))
    (order,) = recorded.told_of(Deliver)
    spool, row = config.spool_of(NUMBER), order.row
    kept, *strays = [
        make_file(spool / place / "0") for place in (f"in/{row}", f"in/{row + 1}", f"out/{row + 7}")
    ]
    dispatchers = Dispatchers(recorded.store, config)

    await dispatchers.of_next_worker(NUMBER)
    assert [file.exists() for file in (kept, *strays)] == [True, False, False]

    make_file(strays[0])
    await dispatchers.of_next_worker(NUMBER)
    assert strays[0].exists()


async def test_many_are_erased_in_pieces(
    recorded: RecordedDispatcher, retention: Retention
) -> None:
    """However many are old, all of them are erased."""
    await recorded.say(*(received(place) for place in range(1, 501)))
    await recorded.say(*(Delivered(row=row) for row in range(1, 501)))

    await retention.erase(days_later(DAYS + 1))

    assert all(entry.text is None for entry in await recorded.entries())
    await retention.erase(days_later(2 * DAYS + 1))
    assert await recorded.entries() == ()


async def test_repeat_of_an_erased_message_is_known(
    recorded: RecordedDispatcher, retention: Retention
) -> None:
    """Planfix may repeat itself long after; nothing is sent twice."""
    row = (await recorded.write("a")).row
    await recorded.say(sent(row, 5))
    await retention.erase(days_later(DAYS + 1))

    repeated = await recorded.write("a")

    assert (repeated.row, repeated.is_repeat) == (row, True)


async def test_spoilt_folder_keeps_nothing_from_being_erased(
    recorded: RecordedDispatcher, retention: Retention, config: Config
) -> None:
    """A worker that puts something else where its files should be keeps nobody's messages."""
    await recorded.say(received(5), received(6, peer_id=2))
    first, second = (order.row for order in recorded.told_of(Deliver))
    await recorded.say(Delivered(row=first), Delivered(row=second))
    make_file(incoming_folder(config.spool_of(NUMBER), first))
    kept = make_file(incoming_folder(config.spool_of(NUMBER), second) / "0")
    photo_file(config.spool_of(NUMBER), 1).mkdir(parents=True)
    old = make_file(photo_file(config.spool_of(NUMBER), 2))

    await retention.erase(days_later(DAYS + 1))

    assert {entry.text for entry in await recorded.entries()} == {None}
    assert not kept.exists()
    assert not old.exists()


async def test_old_photos_go(retention: Retention, config: Config) -> None:
    """A photo is kept as long as a message would be."""
    old, new = (make_file(photo_file(config.spool_of(NUMBER), photo)) for photo in (1, 2))
    long_ago = (tables.now() - timedelta(days=DAYS + 1)).timestamp()
    os.utime(old, (long_ago, long_ago))

    await retention.erase(tables.now())

    assert [old.exists(), new.exists()] == [False, True]


async def test_files_go_on_every_node(
    recorded: RecordedDispatcher, retention: Retention, config: Config, tmp_path: Path
) -> None:
    """A node on which a number ran before removes its files too, although another has erased the messages."""
    await recorded.say(received(5), received(6, peer_id=2))
    first, pending = (order.row for order in recorded.told_of(Deliver))
    await recorded.say(Delivered(row=first))
    elsewhere = replace(config, data_dir=tmp_path / "elsewhere")
    rows = (first, pending, pending + 7)
    gone, kept, stray = [
        make_file(incoming_folder(elsewhere.spool_of(NUMBER), row) / "0-5-9") for row in rows
    ]
    sent = make_file(elsewhere.spool_of(NUMBER) / "out" / f"{first}-0123456789abcdef" / "0")
    other = Retention(
        recorded.store.erasure, recorded.store.history, recorded.store.alarms, elsewhere
    )

    await retention.erase(days_later(DAYS + 1))
    await other.erase(days_later(DAYS + 1))

    assert [each.exists() for each in (gone, kept, stray, sent)] == [False, True, False, False]


@pytest.mark.parametrize("linked", ["in", "out", "photos"])
async def test_link_of_a_worker_leads_no_erasure_elsewhere(
    store: Store, retention: Retention, config: Config, tmp_path: Path, linked: str
) -> None:
    """A worker that was broken into may put a link in place of the folders of its files."""
    await store.numbers.get(NUMBER)
    kept = [make_file(tmp_path / "elsewhere" / name) for name in ("7/file", "other/file", "photo")]
    for each in (*kept, *(file.parent for file in kept)):
        os.utime(each, (0, 0))
    config.spool_of(NUMBER).mkdir(parents=True)
    (config.spool_of(NUMBER) / linked).symlink_to(tmp_path / "elsewhere")

    await retention.erase(tables.now())

    assert all(each.exists() for each in kept)


async def test_only_purged_numbers_leave_no_folder(
    store: Store, retention: Retention, config: Config
) -> None:
    """What a purged number left on this node goes; another database's numbers are left alone."""
    purged, unknown, present = "380500000009", "380500000008", NUMBER
    await store.audit.append("operator", PURGED, purged)
    await store.audit.append("operator", PURGED, present)  # it was created again
    files = [
        make_file(config.data_dir / place / number / "in" / "1" / "0")
        for number in (purged, unknown, present)
        for place in ("spool", "fetched")
    ]

    await retention.erase(tables.now())
    assert all(each.exists() for each in files)
    await retention.erase(days_later(1))

    assert [each.exists() for each in files] == [False, False, True, True, True, True]


async def test_row_used_again_gets_no_file_of_another_message(
    recorded: RecordedDispatcher, config: Config
) -> None:
    """After a backup was restored another message may have the row: each link leads to its own file or nowhere."""
    spool = config.spool_of(NUMBER)
    await recorded.say(received(5, files=(picture(5),)))
    (before,) = recorded.told_of(Deliver)
    make_file(incoming_file(spool, before.row, before.incoming, 0))
    dispatchers = Dispatchers(recorded.store, config)
    files = LinkedFiles(dispatchers, config, None)
    links = dispatchers.links

    def token_of(order: Deliver) -> str:
        file = MessageFile(NUMBER, order.row, 0, mark_of(order.incoming, 0))
        return links.of_file(file, "a.jpg", time.time()).split("/")[-2]

    found = await files.find(token_of(before))
    await recorded.store.database.write(_forget_row, before.row)
    await recorded.reopen()
    await recorded.say(received(6, files=(picture(6),)))
    after = recorded.told_of(Deliver)[-1]

    assert found.path.is_file()
    assert after.row == before.row
    for order in (before, after):
        with pytest.raises(FileGone):
            await files.find(token_of(order))
    make_file(incoming_file(spool, after.row, after.incoming, 0))
    assert (await files.find(token_of(after))).path.is_file()


def _forget_row(connection: Connection, row: int) -> None:
    """Let the database be as it was before this row."""
    connection.execute(delete(tables.journal).where(tables.journal.c.id == row))
    if connection.dialect.name == "sqlite":
        back = text("UPDATE sqlite_sequence SET seq = :row - 1 WHERE name = 'journal'")
    else:
        back = text("SELECT setval(pg_get_serial_sequence('journal', 'id'), :row, false)")
    connection.execute(back, {"row": row})


async def test_link_of_an_older_version_still_leads_to_its_file(
    recorded: RecordedDispatcher, config: Config
) -> None:
    """Version 0.1.0 marked neither its links nor its files."""
    await recorded.say(received(5, files=(picture(5),)))
    (order,) = recorded.told_of(Deliver)
    dispatchers = Dispatchers(recorded.store, config)
    link = dispatchers.links.of_file(MessageFile(NUMBER, order.row, 0), "a.jpg", time.time())
    kept = make_file(unmarked_file(config.spool_of(NUMBER), order.row, 0))

    found = await LinkedFiles(dispatchers, config, None).find(link.split("/")[-2])

    assert found.path == kept
