from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from tests.support.databases import execute
from tests.support.waiting import PATIENCE, eventually

TOP = Path(__file__).parents[2]
RUN_FOR_EVER = """
from tests.support.databases import running_postgres
with running_postgres() as postgres:
    print(postgres.folder, flush=True)
    input()
"""


async def test_each_database_starts_anew(database_url: str) -> None:
    """A test may make a table of any name, on SQLite as on PostgreSQL."""
    await _make_table(database_url)


async def test_no_database_is_left_to_the_next_test(database_url: str) -> None:
    """The table of the test above is not there, in whichever order they run."""
    await _make_table(database_url)


def test_server_ends_with_a_killed_test_run() -> None:
    """PostgreSQL and its data go away even if the tests had no time to stop it."""
    command = [sys.executable, "-c", RUN_FOR_EVER]
    pipe = subprocess.PIPE
    left = Path(tempfile.mkdtemp(prefix="pg"))  # with a short name, for it may hold a socket
    left.chmod(0o711)  # the server is perhaps another user's
    environment = {**os.environ, "TMPDIR": str(left)}
    with subprocess.Popen(
        command, cwd=TOP, env=environment, stdin=pipe, stdout=pipe, text=True
    ) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        server = psutil.Process(int((folder / "data/postmaster.pid").read_text().split()[0]))

        run.kill()

    server.wait(timeout=PATIENCE)
    asyncio.run(eventually(lambda: not folder.exists(), awaited="the data is gone"))
    shutil.rmtree(left, ignore_errors=True)


async def _make_table(url: str) -> None:
    await execute(url, "CREATE TABLE thing (id INTEGER PRIMARY KEY)")
