"""A world for all tests of a module, a conversation for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.acceptance.api.conftest import running_sandbox
from tests.acceptance.messages.world import REAL, World

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
async def world(
    tmp_path_factory: pytest.TempPathFactory, app: str, database: str
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("world")
    async with running_sandbox(folder) as sandbox, World(folder, sandbox, app, database) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def conversation(world: World) -> AsyncIterator[Conversation]:
    opened = await world.open()
    yield opened
    await world.close(opened)
