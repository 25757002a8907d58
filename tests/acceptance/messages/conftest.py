"""The programs for all tests of a module, and a conversation for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.acceptance.api.conftest import running_sandbox
from tests.acceptance.messages.programs import REAL, Programs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.acceptance.messages.conversation import Conversation
    from tests.support.databases import Postgres


@pytest.fixture(scope="module")
def app() -> str:
    """Name the application that the gateway serves."""
    return REAL


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name the gateway's database, the default one unless the module asks for PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield ""
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.fresh_database() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def programs(
    tmp_path_factory: pytest.TempPathFactory, app: str, database: str
) -> AsyncIterator[Programs]:
    folder = tmp_path_factory.mktemp("world")
    async with running_sandbox(folder) as sandbox, Programs(folder, sandbox, app, database) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def conversation(programs: Programs) -> AsyncIterator[Conversation]:
    opened = await programs.open()
    yield opened
    await programs.close(opened)
