"""No secret is left lying about by a gateway that has seen all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psutil
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.acceptance.api.server import gateway, running_sandbox
from tests.acceptance.messages.programs import REAL, Programs
from tests.acceptance.secrecy.full_run import FullRun
from tests.acceptance.secrecy.search import about_process, files_below, find_code, find_secrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.databases import Postgres

pytestmark = [pytest.mark.asyncio(loop_scope="session")]
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of the gateway's database, none for the one that it has by itself."""
    if request.param == "sqlite":
        yield ""
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.fresh_database() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programs(
    tmp_path_factory: pytest.TempPathFactory, database: str
) -> AsyncIterator[Programs]:
    """Start a gateway that talks as much as it can, with a temporary folder of its own."""
    folder = tmp_path_factory.mktemp("world")
    temporary = folder / "tmp"
    temporary.mkdir()
    look = "json" if database else "text"
    talkative = {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": look, "TMPDIR": str(temporary)}
    async with (
        running_sandbox(folder) as sandbox,
        Programs(folder, sandbox, REAL, database, gateway, **talkative) as made,
    ):
        yield made


@pytest.mark.parametrize("database", ["sqlite", "postgres"], indirect=True, scope="module")
async def test_no_secret_is_left_lying_about(programs: Programs) -> None:
    """Logs, database, folders, processes hold none of them, in no form; a running one no more."""
    conversation = await programs.open()
    full_run = FullRun(programs)

    phone = await full_run.log_in_by_code()
    await full_run.log_in_by_qr()
    await full_run.talk(conversation)
    await full_run.keep_private(conversation)
    await full_run.attach_what_fails(conversation)
    await full_run.guess(conversation)
    await full_run.be_refused(phone)
    await full_run.change_proxies(phone)
    await full_run.run_bot()
    await full_run.move(conversation)
    await full_run.crash(phone)
    processes = [seen for pid in _workers(programs) for seen in about_process(pid)]
    running = await asyncio.to_thread(lambda: [*_left_in(programs.folder), *processes])
    dumped = await _dump(programs.database_url)
    await programs.stop()
    ended = await asyncio.to_thread(lambda: [*_left_in(programs.folder)])
    seen = [*running, *dumped, *ended]

    assert find_secrets(full_run.secrets, seen) == []
    assert find_code(full_run.code, seen) == []
    # Files of messages lie in the spool as they are, for workers and for Planfix to read.
    assert find_secrets(full_run.files, [one for one in seen if "/spool/" not in one[0]]) == []
    # What is no secret is found in the log, among processes, in the database: these were looked at.
    assert len(find_secrets({"a number": phone.number.encode()}, seen)) >= 3


def _left_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Show every file; what the operator has put there for us to read is not ours."""
    given = str(folder / "data" / "sessions")
    return (found for found in files_below(folder) if not found[0].startswith(given))


def _workers(programs: Programs) -> list[int]:
    """List forkserver and workers; the application's own have its settings in their environment."""
    below = psutil.Process(programs.application).children(recursive=True)
    return [each.pid for each in below if "resource_tracker" not in " ".join(each.cmdline())]


async def _dump(database_url: str) -> list[tuple[str, bytes]]:
    """Write down every row of PostgreSQL; SQLite's files are searched as they are."""
    if not database_url.startswith("postgresql"):
        return []
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        names = (await connection.execute(text(TABLES))).scalars().all()
        dumped = []
        for name in names:
            rows = await connection.execute(text(f'SELECT t::text FROM "{name}" t'))
            dumped.append((name, "\n".join(rows.scalars()).encode()))
    await engine.dispose()
    assert len(dumped) > 5
    return dumped
