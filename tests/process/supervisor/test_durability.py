"""What a caller was told is stored survives the death of the process."""

from __future__ import annotations

import base64
import os
import signal

import pytest

from supervisor.store.store import Store
from tests.process.supervisor.programs import running, said


@pytest.mark.counts_messages
async def test_nothing_acknowledged_is_lost(database_url: str) -> None:
    """After SIGKILL in the midst of writing, all that was acknowledged is there, once."""
    secret_key = base64.urlsafe_b64encode(os.urandom(32)).decode()

    told: list[str] = []
    async with running("write_for_ever", database_url, secret_key) as writer:
        assert await said(writer) == "ready"
        while len(told) < 1000:
            told.append(await said(writer))
        writer.send_signal(signal.SIGKILL)
        while word := await said(writer):
            told.append(word)

    async with Store(database_url, secret_key) as store:
        entries = await store.audit.list(limit=1_000_000)
    stored = [entry.action for entry in entries]
    assert set(told) <= set(stored)
    assert len(stored) == len(set(stored))
