"""A number that is online, with people who can write to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.sandbox import Sandbox
from session_worker.network.guarded_transport import tls_context
from tests.acceptance.session_worker.inbound.file_server import serving
from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sandbox.telegram.protocol.server_key import ServerKey

tls_context()  # made once for all, before there is an event loop to hold up


@pytest.fixture
async def idle(tmp_path: Path, server_key: ServerKey) -> AsyncIterator[InboundNumber]:
    """Give a number that is not started yet."""
    spool = tmp_path / "spool"
    spool.mkdir()
    async with Sandbox(server_key=server_key) as sandbox, serving(spool) as file_server:
        inbound = InboundNumber(sandbox, spool, file_server)
        yield inbound
        await inbound.stop()


@pytest.fixture
async def inbound(idle: InboundNumber) -> InboundNumber:
    await idle.start()
    return idle
