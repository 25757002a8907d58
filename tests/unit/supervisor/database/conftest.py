"""A writer on each kind of database, with a table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from supervisor.engine import database_url as parse
from supervisor.engine import writing_engine
from supervisor.writer import Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncEngine


@pytest.fixture
def postgres_url(postgres_url: str) -> str:
    """Name a password, for want of which asyncpg would look for one in files."""
    return postgres_url.replace("postgres@", "postgres:any@")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = writing_engine(parse(database_url))
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE thing (id INTEGER PRIMARY KEY)"))
    yield engine
    await engine.dispose()


@pytest.fixture
async def writer(engine: AsyncEngine) -> AsyncIterator[Writer]:
    writer = Writer(engine)
    writer.start()
    yield writer
    await writer.stop()
