"""Two gateways that share nothing but a PostgreSQL database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from api.lifecycle.server_process import START_REFUSED
from tests.acceptance.api.server import gateway, refused
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

WAIT = text("SELECT pg_advisory_lock(32286, 61893)")
END_OWNER = text("""
    SELECT pg_terminate_backend(pid) FROM pg_locks
    WHERE locktype = 'advisory' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (SELECT count(*) FROM pg_locks AS other
           WHERE other.locktype = 'advisory' AND NOT other.granted
             AND other.database = pg_locks.database) = 1
""")


async def test_database_of_another_gateway_is_left_alone(
    tmp_path: Path, settings: dict[str, str], postgres_url: str
) -> None:
    """With a DATA_DIR of its own a second gateway on one PostgreSQL database refuses to start."""
    async with gateway(tmp_path, {**settings, "DATABASE_URL": postgres_url}) as first:
        await first.wait_ready()

        other = {"DATABASE_URL": postgres_url, "DATA_DIR": str(tmp_path / "other")}
        status, words = await refused(tmp_path, {**settings, **other})

        assert await first.status("/readyz") == 200
    assert status == START_REFUSED
    assert "another DATA_DIR uses this database" in words


async def test_gateway_ends_when_it_was_replaced(
    tmp_path: Path, settings: dict[str, str], postgres_url: str
) -> None:
    """Who finds another owner of the database in its place stops in order, its numbers with it."""
    engine = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with (
        gateway(tmp_path, {**settings, "DATABASE_URL": postgres_url}) as server,
        engine.connect() as waiting,
        engine.connect() as ending,
    ):
        await server.wait_ready()
        taking = asyncio.create_task(waiting.execute(WAIT))
        await eventually(lambda: _is_ended(ending))

        await taking
        status = await server.process.wait()
    await engine.dispose()

    assert status == 0
    assert "another gateway has taken the database" in server.log.read_text()


async def _is_ended(ending: AsyncConnection) -> bool:
    """End the owner's connection as soon as somebody waits for its place."""
    return bool((await ending.execute(END_OWNER)).scalar())
