"""Files that come with calls are kept for the worker, and neither too many nor for too long."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from supervisor.bots.uploads import PIECE, Uploads
from supervisor.config import Config
from supervisor.errors import StorageFull
from supervisor.nodes.files import SharedFiles
from tests.support.disks import no_growth

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.bots.uploads import Upload
    from supervisor.store.store import Store

BOT = "7000001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the uploads of the bot are, beside other things of its worker."""
    return tmp_path / "spool" / BOT / "uploads"


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    config = Config(tmp_path, tmp_path, 1, "hash")
    return Uploads(config, SharedFiles(cast("Store", SimpleNamespace(database=None)), config))


async def test_file_that_vanishes_meanwhile_is_no_trouble(uploads: Uploads, folder: Path) -> None:
    """Other calls, and the worker, delete files while a new one is begun."""
    first = await uploads.open(BOT)
    (folder / "vanished").symlink_to(folder / "nowhere")  # listed, and not there

    second = await uploads.open(BOT)
    await second.write(b"content")

    assert (folder / (await second.finish()).rpartition(":")[2].rpartition("/")[2]).is_file()
    await first.discard()


@pytest.mark.parametrize(("room", "sizes"), [(0, (1,)), (0, (PIECE,)), (PIECE, (PIECE + 1, PIECE))])
async def test_upload_without_room_is_refused_and_leaves_nothing(
    uploads: Uploads, folder: Path, room: int, sizes: tuple[int, ...]
) -> None:
    """Whether the room ends with the first byte, or with what a buffer still holds."""
    upload = await uploads.open(BOT)

    with no_growth(room):
        with pytest.raises(StorageFull):
            await _write_all(upload, sizes)
        await upload.discard()

    assert _names_in(folder) == []


def _names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def _write_all(upload: Upload, sizes: tuple[int, ...]) -> None:
    for size in sizes:
        await upload.write(bytes(size))
    await upload.finish()


async def test_link_in_place_of_the_folder_leads_nowhere(
    uploads: Uploads, folder: Path, tmp_path: Path
) -> None:
    """A worker that was broken into must not have the gateway write or delete elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "old").write_bytes(b"x")
    os.utime(elsewhere / "old", (0, 0))
    folder.parent.mkdir(parents=True)
    (folder.parent / folder.name).symlink_to(elsewhere)

    with pytest.raises(OSError, match="uploads"):
        await uploads.open(BOT)

    assert [each.name for each in elsewhere.iterdir()] == ["old"]


async def test_what_a_worker_leaves_among_uploads_stops_none(
    uploads: Uploads, folder: Path, tmp_path: Path
) -> None:
    """An old link is deleted, and not what it leads to; a folder stays and does no harm."""
    target = tmp_path / "target"
    target.write_bytes(b"x")
    (folder / "folder").mkdir(parents=True)
    (folder / "link").symlink_to(target)
    for name in ("link", "folder"):
        os.utime(folder / name, (0, 0), follow_symlinks=False)

    upload = await uploads.open(BOT)

    assert target.exists()
    assert not (folder / "link").is_symlink()
    await upload.discard()
