"""Programs that the tests of this folder run as processes of their own."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import multiprocess

from supervisor.ownership import DataDirLock
from supervisor.store.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOP = Path(__file__).parents[3]


@asynccontextmanager
async def running(program: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a function of this module as a process, which is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, program, *arguments),
        cwd=TOP,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process) -> str:
    """Return the next line that the process says."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def own(data_dir: str) -> None:
    """Own the data until killed, letting go of it when standard input ends."""
    lock = DataDirLock(Path(data_dir))
    await lock.acquire()
    say("owner")
    await asyncio.to_thread(sys.stdin.readline)
    lock.release()
    say("released")
    await asyncio.to_thread(sys.stdin.read)


async def own_with_children(data_dir: str) -> None:
    """Own the data while children of both kinds outlive us."""
    lock = DataDirLock(Path(data_dir))
    await lock.acquire()
    worker = multiprocess.get_context("forkserver").Process(target=outlive)
    worker.start()
    forked = os.fork()
    if forked == 0:
        outlive()
    say(f"{worker.pid} {forked}")
    await asyncio.to_thread(sys.stdin.read)


def outlive() -> None:
    """Stay on for a while, whatever becomes of the parent."""
    time.sleep(600)


async def write_for_ever(url: str, secret_key: str) -> None:
    """Say each entry of the audit log as soon as it is stored, a hundred at a time."""
    async with Store(url, secret_key) as store:
        say("ready")

        async def write(place: int) -> None:
            for step in range(100_000):
                await store.audit.append("writer", f"{place}.{step}")
                say(f"{place}.{step}")

        await asyncio.gather(*(write(place) for place in range(100)))


async def rotate_slowly(url: str, secret_key: str) -> None:
    """Move one data key at a time to the first key, say each; stay on before the end."""
    async with Store(url, secret_key) as store:
        last = ""
        while (done := await store.keys.rewrap(last, most=1)) is not None:
            last = done.last
            say(last)
            await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
