"""One gateway owns the data; another takes over when it is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from supervisor.ownership import DataDirLock
from tests.process.supervisor.programs import running, said
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def standby(tmp_path: Path) -> AsyncIterator[DataDirLock]:
    lock = DataDirLock(tmp_path / "data")
    yield lock
    lock.release()


async def test_second_gateway_stands_by(standby: DataDirLock, tmp_path: Path) -> None:
    """While another process owns the data we say whose it is."""
    async with running("own", str(tmp_path / "data")) as owner:
        assert await said(owner) == "owner"

        taken = await asyncio.to_thread(standby.try_acquire)

        assert not taken
        assert not standby.held
        assert f"process {owner.pid}" in (standby.reason or "")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_standby_takes_over_from_the_dead(
    standby: DataDirLock, tmp_path: Path, end: signal.Signals
) -> None:
    """After the owner's death, however it dies, the data is ours."""
    async with running("own", str(tmp_path / "data")) as owner:
        await said(owner)
        waiting = asyncio.create_task(standby.acquire())
        await eventually(lambda: "process" in (standby.reason or ""))

        owner.send_signal(end)

        await asyncio.wait_for(waiting, PATIENCE)
        assert standby.held
        assert standby.reason is None


async def test_frozen_owner_keeps_its_right(standby: DataDirLock, tmp_path: Path) -> None:
    """A stopped process may go on any time, so it is still the owner."""
    async with running("own", str(tmp_path / "data")) as owner:
        await said(owner)

        owner.send_signal(signal.SIGSTOP)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(standby.acquire(), 1)
        assert not standby.held


async def test_owner_that_lets_go_is_followed(standby: DataDirLock, tmp_path: Path) -> None:
    """A process that lives on without the right stands in nobody's way."""
    async with running("own", str(tmp_path / "data")) as owner:
        await said(owner)
        assert owner.stdin is not None

        owner.stdin.write(b"\n")

        assert await said(owner) == "released"
        await asyncio.wait_for(standby.acquire(), PATIENCE)
        assert standby.held


async def test_children_of_the_dead_do_not_hold_the_lock(
    standby: DataDirLock, tmp_path: Path
) -> None:
    """Neither a forked child nor a worker of the forkserver inherits the right."""
    async with running("own_with_children", str(tmp_path / "data")) as owner:
        children = [int(pid) for pid in (await said(owner)).split()]

        owner.kill()

        try:
            await asyncio.wait_for(standby.acquire(), PATIENCE)
            os.kill(children[1], 0)
        finally:
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)


async def test_one_of_many_owns(tmp_path: Path) -> None:
    """Of gateways in a race one wins; when it is gone, one of the others."""
    locks = [DataDirLock(tmp_path / "data") for _ in range(8)]
    waiting = [asyncio.create_task(lock.acquire()) for lock in locks]

    for left in range(8, 0, -1):
        await eventually(lambda: any(lock.held for lock in locks))
        [owner] = [lock for lock in locks if lock.held]
        owner.release()
        locks.remove(owner)
        assert len(locks) == left - 1

    await asyncio.gather(*waiting)


async def test_cancelled_wait_takes_nothing(standby: DataDirLock, tmp_path: Path) -> None:
    """A gateway that is stopped while it stands by leaves the data to others."""
    other = DataDirLock(tmp_path / "data")
    waiting = asyncio.create_task(other.acquire())
    await asyncio.sleep(0)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not other.held
    await asyncio.wait_for(standby.acquire(), PATIENCE)


async def test_lock_of_a_deleted_file_counts_for_nothing(
    standby: DataDirLock, tmp_path: Path
) -> None:
    """Who waits for a file that is replaced meanwhile locks the new one."""
    other = DataDirLock(tmp_path / "data")
    assert await asyncio.to_thread(other.try_acquire)
    (tmp_path / "data" / "gateway.lock").unlink()

    assert await asyncio.to_thread(standby.try_acquire)

    assert standby.held
    other.release()
    assert not await asyncio.to_thread(other.try_acquire)
