"""A number that is online, with people who can write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.sandbox import Sandbox
from session_worker.network.guarded_transport import tls_context
from tests.acceptance.session_worker.inbound.bench import Bench
from tests.acceptance.session_worker.inbound.file_server import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

tls_context()  # made once for all, before there is an event loop to hold up


@pytest.fixture
async def idle(tmp_path: Path) -> AsyncIterator[Bench]:
    """Give a number that is not started yet."""
    spool = tmp_path / "spool"
    spool.mkdir()
    async with Sandbox() as sandbox, serving(spool) as file_server:
        bench = Bench(sandbox, spool, file_server)
        yield bench
        await bench.stop()


@pytest.fixture
async def bench(idle: Bench) -> Bench:
    await idle.start()
    return idle
