"""Files that come with calls are kept for the worker, and neither too many nor for too long."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from supervisor.bots.uploads import Uploads
from supervisor.config import Config
from supervisor.nodes.files import SharedFiles

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.store.store import Store

BOT = "7000001"


async def test_file_that_vanishes_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    """Other calls, and the worker, delete files while a new one is begun."""
    config = Config(tmp_path, tmp_path, 1, "hash")
    uploads = Uploads(config, SharedFiles(cast("Store", SimpleNamespace(database=None)), config))
    first = await uploads.open(BOT)
    folder = tmp_path / "spool" / BOT / "uploads"
    (folder / "vanished").symlink_to(folder / "nowhere")  # listed, and not there

    second = await uploads.open(BOT)
    await second.write(b"content")

    assert (folder / (await second.finish()).rpartition(":")[2].rpartition("/")[2]).is_file()
    await first.discard()
