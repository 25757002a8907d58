"""Files of messages that one node fetched and another one serves."""

from __future__ import annotations

import asyncio
import base64
import os
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from session_worker.protocol.outgoing import UPLOADED, Attachment, Outgoing
from supervisor.bots.uploads import Uploads
from supervisor.config import Config, NodeConfig
from supervisor.database.tables import now
from supervisor.errors import DatabaseUnavailable, FileGone
from supervisor.messages.message_service import Dispatchers
from supervisor.nodes.files import PIECE, SharedFiles
from supervisor.store.store import Store
from supervisor.store.values import NewNumber
from supervisor.upkeep import Retention
from tests.support.waiting import eventually
from tests.unit.supervisor.rows import incoming

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = "380500000001"


def two_nodes(tmp_path: Path, *, is_in_folder: bool) -> tuple[Config, Config]:
    """Configure two nodes that share their files in a folder, or in the database."""
    files = tmp_path / "files"
    node = NodeConfig("http://here", files=files if is_in_folder else None)
    here = Config(tmp_path / "here", tmp_path, 1, "hash", node=node)
    return here, replace(here, data_dir=tmp_path / "there")


@pytest.mark.parametrize("is_in_folder", [False, True])
async def test_file_outlives_its_node(
    tmp_path: Path, postgres_url: str, *, is_in_folder: bool
) -> None:
    """What one node has kept another one can serve, piece by piece, until it is erased."""
    here, there = two_nodes(tmp_path, is_in_folder=is_in_folder)
    content = os.urandom(PIECE + 17)
    folder = here.spool_of(NUMBER) / "in" / "7"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(content)
    (folder / "1").write_bytes(b"")
    (folder / "2").symlink_to("/etc/passwd")
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key) as store:
        await store.numbers.create(NewNumber(NUMBER, "Acme", "https://acme.example", "token"))
        await SharedFiles(store, here).keep(NUMBER, 7)
        await SharedFiles(store, here).keep(NUMBER, 7)
        other = SharedFiles(store, there)

        assert ((await other.fetch(NUMBER, "in/7/0")) / "in/7/0").read_bytes() == content
        assert ((await other.fetch(NUMBER, "in/7/1")) / "in/7/1").read_bytes() == b""
        with pytest.raises(FileGone):
            await other.fetch(NUMBER, "in/7/2")
        kept = [each for each in (tmp_path / "files").rglob("*") if each.is_file()]
        assert bool(kept) is is_in_folder
        assert not any(content[:64] in each.read_bytes() for each in kept)
        retention = Retention(store.erasure, store.history, store.alarms, here)
        await retention.erase(now() + timedelta(days=here.retention_days + 1))
        with pytest.raises(FileGone):
            await SharedFiles(store, replace(here, data_dir=tmp_path / "third")).fetch(
                NUMBER, "in/7/0"
            )
        assert not [each for each in (tmp_path / "files").rglob("*") if each.is_file()]


async def test_file_that_is_being_kept_is_not_served_in_part(
    tmp_path: Path, postgres_url: str
) -> None:
    """Planfix fetches a file whenever it likes, also while its node stores it for the others."""
    node = NodeConfig("http://here")
    here = Config(tmp_path / "here", tmp_path, 1, "hash", node=node)
    content = os.urandom(8 * PIECE)
    folder = here.spool_of(NUMBER) / "in" / "7"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(content)
    (folder / "1").mkdir()
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key) as store:
        await store.numbers.create(NewNumber(NUMBER, "Acme", "https://acme.example", "token"))
        there = SharedFiles(store, replace(here, data_dir=tmp_path / "there"))

        async def fetched() -> bytes:
            return ((await there.fetch(NUMBER, "in/7/0")) / "in/7/0").read_bytes()

        async def is_there() -> bool:
            with suppress(FileGone):
                return bool(await fetched())
            return False

        keeping = asyncio.create_task(SharedFiles(store, here).keep(NUMBER, 7))
        await eventually(is_there, awaited="the file at another node")
        await keeping

        assert await fetched() == content


async def test_purged_number_leaves_no_file(tmp_path: Path, postgres_url: str) -> None:
    """Whoever is erased leaves nothing in the shared folder, nor where a node has fetched it."""
    node = NodeConfig("http://here", files=tmp_path / "files")
    here = Config(tmp_path / "here", tmp_path, 1, "hash", node=node)
    folder = here.spool_of(NUMBER) / "in" / "7"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(b"a plan")
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key) as store:
        await store.numbers.create(NewNumber(NUMBER, "Acme", "https://acme.example", "token"))
        files = SharedFiles(store, here)
        await files.keep(NUMBER, 7)
        await files.fetch(NUMBER, "in/7/0")

        await files.forget(NUMBER)

        assert not (tmp_path / "files" / NUMBER).exists()
        assert not (here.data_dir / "fetched" / NUMBER).exists()


async def test_shared_folder_that_takes_nothing_is_waited_for(
    tmp_path: Path, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that is full or away is no fault of a number; what waits for it is stored later."""
    node = NodeConfig("http://here", files=tmp_path / "files")
    here = Config(tmp_path / "here", tmp_path, 1, "hash", node=node)
    folder = here.spool_of(NUMBER) / "in" / "7"
    folder.mkdir(parents=True)
    (folder / "0-5-9").write_bytes(b"a plan")
    (tmp_path / "files").touch()  # nothing can be stored in it
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key) as store:
        await store.numbers.create(NewNumber(NUMBER, "Acme", "https://acme.example", "token"))
        files = SharedFiles(store, here)
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable):
                await files.keep(NUMBER, 7)
        (tmp_path / "files").unlink()

        await files.keep(NUMBER, 7)

        there = SharedFiles(store, replace(here, data_dir=tmp_path / "there"))
        found = await there.fetch(NUMBER, "in/7/0-5-9")
    assert (found / "in/7/0-5-9").read_bytes() == b"a plan"
    lines = [each.getMessage() for each in caplog.records if "shared folder" in each.getMessage()]
    assert len(lines) == 2


@pytest.mark.parametrize("is_in_folder", [False, True])
async def test_upload_outlives_its_node(
    tmp_path: Path, postgres_url: str, *, is_in_folder: bool
) -> None:
    """A file that came with a call is sent by whichever node runs the bot then."""
    here, there = two_nodes(tmp_path, is_in_folder=is_in_folder)
    content = os.urandom(PIECE + 17)
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    async with Store(postgres_url, key) as store:
        await store.numbers.create(NewNumber(NUMBER, "Acme", "https://acme.example", "token"))
        upload = await Uploads(here, SharedFiles(store, here)).open(NUMBER)
        await upload.write(content)
        sent = Attachment(name="a.pdf", url=await upload.finish())
        lost = Attachment(name="b.pdf", url=f"{UPLOADED}nowhere")
        body = Outgoing(peer_id=5, planfix_id="1", attachments=(lost, sent), parts=())
        dispatchers = Dispatchers(store, there)

        await dispatchers.files.bring_uploads(NUMBER, [incoming(5), body])
        await dispatchers.files.bring_uploads(NUMBER, [body])

        [brought] = (there.spool_of(NUMBER) / "uploads").iterdir()
        assert (brought.name, brought.read_bytes()) == (sent.url.removeprefix(UPLOADED), content)
        assert brought.stat().st_mode & 0o777 == 0o644
        retention = Retention(store.erasure, store.history, store.alarms, here)
        await retention.erase(now() + timedelta(days=here.retention_days + 1))
        assert not [each for each in (tmp_path / "files").rglob("*") if each.is_file()]
        with pytest.raises(FileGone):
            await SharedFiles(store, here).fetch(NUMBER, f"uploads/{brought.name}")
