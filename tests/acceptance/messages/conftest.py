"""The programs for all tests of this folder, and a conversation for each test."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.acceptance.api.server import running_sandbox
from tests.acceptance.messages.programs import REAL, Programs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.acceptance.messages.conversation import Conversation
    from tests.support.databases import Postgres

    Start = Callable[[str, Postgres | None], Awaitable[Programs]]


@pytest.fixture(scope="module")
def app() -> str:
    """Name the application that the gateway serves."""
    return REAL


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Postgres | None:
    """Name the server of the gateway's database, none unless the module asks for PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return None
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def programs_of(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    """Start the gateway of an application and a database at the first call; one sandbox serves all."""
    known: dict[tuple[str, bool], Programs] = {}
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("sandbox")
        sandbox = await stack.enter_async_context(running_sandbox(folder))

        async def start(app: str, database: Postgres | None) -> Programs:
            kind = app, database is None
            if kind not in known:
                url = stack.enter_context(database.fresh_database()) if database else ""
                made = Programs(tmp_path_factory.mktemp("world"), sandbox, app, url)
                known[kind] = await stack.enter_async_context(made)
            return known[kind]

        yield start


@pytest_asyncio.fixture(loop_scope="session")
async def programs(programs_of: Start, app: str, database: Postgres | None) -> Programs:
    return await programs_of(app, database)


@pytest_asyncio.fixture(loop_scope="session")
async def conversation(programs: Programs) -> AsyncIterator[Conversation]:
    opened = await programs.open()
    yield opened
    await programs.close(opened)
