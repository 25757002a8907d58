"""The forkserver is given time while it works, and replaced when it hangs."""

from __future__ import annotations

import asyncio
import os
import signal

import multiprocess
import pytest

from supervisor.config import Patience
from supervisor.processes.forkserver import ForkFailed, Forkserver
from tests.process.workers.watched_gateway import forkserver_of

SOON = Patience(ran=120.0, idle=120.0, stopped=1.0, on_disk=120.0, unknown=120.0)


async def test_hung_forkserver_is_replaced() -> None:
    """A forkserver that stands still fails the fork that waits for it; the next fork has a new one."""
    forkserver = Forkserver(patience=SOON)
    child = await forkserver.fork()
    hung = forkserver_of(child.pid)
    os.kill(hung, signal.SIGSTOP)

    with pytest.raises(ForkFailed):
        await forkserver.fork()

    next_child = await forkserver.fork()
    assert forkserver_of(next_child.pid) != hung
    for each in (child, next_child):
        await forkserver.discard(each)
    forkserver.close()


async def test_forks_that_wait_for_their_turn_blame_nobody() -> None:
    """Many forks at once share one forkserver, take no wait for the others as a hang, and poll no other worker."""
    forkserver = Forkserver(patience=Patience(ran=120.0, idle=5.0, stopped=5.0))
    children = await asyncio.gather(*(forkserver.fork() for _ in range(40)))

    assert len({forkserver_of(child.pid) for child in children}) == 1
    known = set(multiprocess.active_children())  # each start would poll all of them
    assert known.isdisjoint(child.process for child in children)
    await asyncio.gather(*(forkserver.discard(child) for child in children))
    forkserver.close()
