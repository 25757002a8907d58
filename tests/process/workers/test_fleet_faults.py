"""What befalls all numbers at once: nothing is lost, all are back without a hand, one cause is told."""

from __future__ import annotations

import logging
import os
import re
import signal
import sqlite3
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import DatabaseUnavailable
from supervisor.messages.message_service import OutgoingMessage
from supervisor.numbers.restart_policy import RestartPolicy
from supervisor.numbers.worker_pool import OWN, SHARED, ExitLog
from tests.fakes.spool_session import SpoolFiles
from tests.process.workers.conftest import make_gateway, new_number
from tests.process.workers.watched_gateway import forkserver_of
from tests.support.disks import no_growth, no_room, small_disk
from tests.support.failing_sync import FailingSync
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from supervisor.config import Config
    from supervisor.gateway import Gateway
    from supervisor.numbers.view import View

NUMBERS = [f"3805000000{number:02}" for number in range(24)]
QUICK_BRAKE = RestartPolicy(brake_pause=0.1, brake_spread=1.0)
LATE = "380500000099"
DISK = "32m"
BEFORE, MEANWHILE, AFTER = 2, 3, 2  # messages of each number's people
TRIES = 10

pytestmark = pytest.mark.timeout(600)


@dataclass
class Fleet:
    """Many numbers of one gateway, with the people who write to each."""

    gateway: Gateway
    worlds: dict[str, SpoolFiles]
    written: int = 0

    async def views(self) -> tuple[View, ...]:
        return await self.gateway.numbers()

    async def pids(self) -> set[int]:
        return {view.worker.pid for view in await self.views() if view.worker}

    def write(self, count: int) -> None:
        """Let people write so many messages to each number."""
        self.written += count
        for files in self.worlds.values():
            files.updates = self.written

    async def until_online(self, *, but: frozenset[int] | set[int] = frozenset()) -> None:
        async def are_online() -> bool:
            views = await self.views()
            return all(
                view.state == "online" and view.worker and view.worker.pid not in but
                for view in views
            )

        await eventually(are_online, awaited="all online")

    async def until_delivered(self) -> None:
        """Wait until Planfix has all that was written."""
        expected = set(range(1, self.written + 1))

        def is_there() -> bool:
            return all(arrived(files) >= expected for files in self.worlds.values())

        await eventually(is_there, awaited="all messages")

    async def restarts(self) -> set[int]:
        return {view.restarts for view in await self.views()}


def arrived(files: SpoolFiles) -> set[int]:
    return {int(message_id) for _, message_id in files.read("in")}


@asynccontextmanager
async def fleet_of(config: Config, database_url: str) -> AsyncIterator[Fleet]:
    postal = replace(config, session_factory="tests.fakes.spool_session:SpoolSession")
    async with make_gateway(postal, database_url, policy=QUICK_BRAKE) as gateway:
        gateway._pool.exit_log = ExitLog(
            *(replace(each, window=PATIENCE) for each in (OWN, SHARED))
        )
        for number in NUMBERS:
            await gateway.create(new_number(number))
        pool = Fleet(gateway, {number: SpoolFiles(config.spool_of(number)) for number in NUMBERS})
        await pool.until_online()
        pool.write(BEFORE)
        await pool.until_delivered()
        yield pool


@pytest.fixture
async def pool(config: Config, sqlite_url: str) -> AsyncIterator[Fleet]:
    async with fleet_of(config, sqlite_url) as pool:
        yield pool


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def warnings(log: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in log.records if each.levelno >= logging.WARNING]


def numbers_named(log: pytest.LogCaptureFixture) -> set[str]:
    return {found for line in warnings(log) for found in re.findall(r"3805\d{8}", line)}


async def test_all_workers_die_together(pool: Fleet, log: pytest.LogCaptureFixture) -> None:
    """Each is started once again, a few at a time; the log names the first, then all in one line."""
    killed = await pool.pids()

    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    pool.write(MEANWHILE)

    await pool.until_online(but=killed)
    await pool.until_delivered()
    assert await pool.restarts() == {1}
    assert len([line for line in warnings(log) if "no more are named" in line]) == 1
    assert len(numbers_named(log)) < 10


async def test_forkserver_is_killed(pool: Fleet, log: pytest.LogCaptureFixture) -> None:
    """Its workers die with it; a new one forks them all again, none is parked."""
    for _ in range(2):
        lost = await pool.pids()
        os.kill(forkserver_of(min(lost)), signal.SIGKILL)
        pool.write(MEANWHILE)

        await pool.until_online(but=lost)
        await pool.until_delivered()

    assert await pool.restarts() == {2}
    assert warnings(log) == ["the forkserver is gone, its workers with it"]


async def test_disk_takes_nothing_more(
    config: Config, log: pytest.LogCaptureFixture, disk: Path
) -> None:
    """Workers wait with what they have heard until it can be stored; none of them is ended."""
    database = disk / "telefix.db"
    async with fleet_of(config, f"sqlite+aiosqlite:///{database}") as pool:
        pids = await pool.pids()

        async with full_disk(database):
            pool.write(MEANWHILE)
            await eventually(lambda: warnings(log))
            assert not (await pool.gateway.readiness()).ok
        pool.write(AFTER)

        await pool.until_delivered()
        assert (await pool.gateway.readiness()).ok
        assert await pool.pids() == pids
        assert_told_once(log)
        await start_without_room(pool, config.spool_of(LATE))


async def start_without_room(pool: Fleet, spool: Path) -> None:
    """A number whose worker cannot make its files is started again until there is room for them."""
    with small_disk(spool, "64k", files=0) as folder:
        await pool.gateway.create(new_number(LATE))

        async def is_told() -> bool:
            error = (await pool.gateway.show(LATE)).last_error
            return error is not None and error.code == "storage_failing"

        if folder.is_mount():
            await eventually(is_told, awaited="the reason")
    await pool.until_online()


async def test_disk_keeps_nothing(
    config: Config, log: pytest.LogCaptureFixture, sqlite_url: str, tmp_path: Path
) -> None:
    """While each sync fails nothing is accepted, delivered or given up; then all goes on by itself."""
    number, answer = NUMBERS[0], OutgoingMessage("1", "Hello", chat_id=f"{NUMBERS[0]}_2")
    with FailingSync() as sync:
        async with fleet_of(config, sqlite_url) as pool:
            pids = await pool.pids()
            accept = pool.gateway.messages.accept
            is_asked = await sync.attach(pool.gateway.database)

            with failing(sync) if is_asked else no_growth(size_of_log(tmp_path / "telefix.db")):
                pool.write(MEANWHILE)
                await eventually(lambda: warnings(log))
                for _ in range(TRIES):
                    with pytest.raises(DatabaseUnavailable):
                        await accept(number, answer)
                assert {len(arrived(files)) for files in pool.worlds.values()} == {BEFORE}
            pool.write(AFTER)
            accepted = await accept(number, answer)

            await pool.until_delivered()
            sent = await eventually(lambda: pool.worlds[number].read("out"), awaited="the answer")
            assert (accepted.is_repeat, len(sent)) == (False, 1)
            assert await pool.pids() == pids
            assert_told_once(log)


async def test_database_is_locked(
    pool: Fleet, log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Another program that holds SQLite's lock for long stops nothing for good."""
    pids = await pool.pids()

    with locked(tmp_path / "telefix.db"):
        pool.write(MEANWHILE)
        await eventually(lambda: warnings(log))
        started = min(pids)
        os.kill(started, signal.SIGKILL)
    pool.write(AFTER)

    await pool.until_delivered()
    await pool.until_online(but={started})
    assert await pool.pids() > pids - {started}
    assert_told_once(log)


def assert_told_once(log: pytest.LogCaptureFixture) -> None:
    lines = [line for line in warnings(log) if "the database" in line]
    assert len(lines) == 2, lines
    assert "cannot be written" in lines[0]
    assert "is written again" in lines[1]
    assert len(numbers_named(log)) <= 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK) as place:
        yield place


@asynccontextmanager
async def full_disk(database: Path) -> AsyncIterator[None]:
    """Fill the file system; where it is not its own, let no file of this process grow meanwhile."""
    if not database.parent.is_mount():
        with no_growth(size_of_log(database)):
            yield
        return
    # SQLite writes over an old log that is long enough, and needs no place then.
    await eventually(lambda: is_log_emptied(database), awaited="an empty log")
    with no_room(database.parent):
        yield


def size_of_log(database: Path) -> int:
    return database.with_name(f"{database.name}-wal").stat().st_size


def is_log_emptied(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


@contextmanager
def failing(sync: FailingSync) -> Iterator[None]:
    sync.is_failing = True
    try:
        yield
    finally:
        sync.is_failing = False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()
