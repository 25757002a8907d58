"""Of gateways with folders of their own one works on a PostgreSQL database."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from supervisor.database.coordination import DatabaseLock
from supervisor.database.engines import database_url, locking_engine
from supervisor.errors import DatabaseOwned
from tests.support.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

TRY = text("SELECT pg_try_advisory_lock(32286, 61893)")
WAIT = text("SELECT pg_advisory_lock(32286, 61893)")
HOLDERS = text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
END = text("SELECT pg_terminate_backend(:backend)")


class Owner:
    """A lock with what became of it."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.losses = 0
        self.lock = DatabaseLock(locking_engine(database_url(url)), self._lose, patience=patience)

    def _lose(self) -> None:
        self.losses += 1


@pytest.fixture
async def owner(postgres_url: str) -> AsyncIterator[Owner]:
    owner = Owner(postgres_url)
    await owner.lock.take()
    yield owner
    await owner.lock.release()


@pytest.fixture
async def others(postgres_url: str) -> AsyncIterator[list[AsyncConnection]]:
    """Give two connections that are nobody's."""
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as one, engine.connect() as two:
        yield [one, two]
    await engine.dispose()


async def test_second_owner_is_refused(owner: Owner, postgres_url: str) -> None:
    """Who finds the database held is told so; once it is let go of anybody may have it."""
    second = Owner(postgres_url, patience=0.5)
    with pytest.raises(DatabaseOwned, match="another DATA_DIR"):
        await second.lock.take()
    await second.lock.release()

    await owner.lock.release()

    third = Owner(postgres_url)
    await third.lock.take()
    await third.lock.release()
    assert owner.losses == 0


async def test_lost_connection_is_made_anew(owner: Owner, others: list[AsyncConnection]) -> None:
    """An owner whose connection the server ends holds the database again soon."""
    before = owner.lock.backend

    await others[0].execute(END, {"backend": before})

    await eventually(lambda: _is_held_anew(owner, before, others[0]))
    assert not (await others[0].execute(TRY)).scalar()
    assert owner.losses == 0


async def test_own_ghost_is_ended(owner: Owner, others: list[AsyncConnection]) -> None:
    """A connection of ours that the server still believes in does not keep us out."""
    before = owner.lock.backend
    assert before is not None
    os.kill(before, signal.SIGSTOP)
    try:
        await owner.lock._drop()
        await eventually(lambda: _is_being_ended(before))
    finally:
        os.kill(before, signal.SIGCONT)

    await eventually(lambda: _is_held_anew(owner, before, others[0]))
    assert owner.losses == 0


async def test_owner_that_was_replaced_ends(owner: Owner, others: list[AsyncConnection]) -> None:
    """Who finds another one in its place gives way."""
    waiting, ending = others
    taking = asyncio.create_task(waiting.execute(WAIT))
    await eventually(lambda: _somebody_waits(ending))

    await ending.execute(END, {"backend": owner.lock.backend})

    await taking
    await eventually(lambda: owner.losses == 1)


async def _is_held_anew(owner: Owner, before: int | None, connection: AsyncConnection) -> bool:
    """Tell whether a newer connection of the owner holds the lock, and no longer only asks for it."""
    holders = set((await connection.execute(HOLDERS)).scalars())
    return holders == {owner.lock.backend} != {before}


def _is_being_ended(backend: int) -> bool:
    """Tell whether a stopped process will find a SIGTERM when it goes on."""
    status = Path(f"/proc/{backend}/status").read_text()
    pending = next(line for line in status.splitlines() if line.startswith("ShdPnd:"))
    return bool(int(pending.split()[1], 16) & 1 << signal.SIGTERM - 1)


async def _somebody_waits(connection: AsyncConnection) -> bool:
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return bool((await connection.execute(query)).scalar())
