"""Files of messages that one node fetched and another one serves."""

from __future__ import annotations

import base64
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from supervisor.config import Config
from supervisor.database.tables import now
from supervisor.errors import FileGone
from supervisor.nodes.files import PIECE, SharedFiles
from supervisor.store.store import Store
from supervisor.store.values import NewNumber

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = "380500000001"


async def test_file_outlives_its_node(tmp_path: Path, postgres_url: str) -> None:
    """What one node has kept another one can serve, piece by piece, until it is erased."""
    here = Config(tmp_path / "here", tmp_path, 1, "hash")
    there = replace(here, data_dir=tmp_path / "there")
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
        await store.erasure.delete_files(now())
        with pytest.raises(FileGone):
            await SharedFiles(store, replace(here, data_dir=tmp_path / "third")).fetch(
                NUMBER, "in/7/0"
            )
