"""A gateway with its sandbox for all tests of a folder, each with numbers of its own.

A folder takes the stage into its `conftest.py`; its modules, or the folder as a whole, take the other
fixtures as their own by naming them. Their tests run in the loop of the session.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.acceptance.api.operator import Operator, settings_of
from tests.acceptance.api.server import forked_gateway, running_sandbox
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.acceptance.api.server import Server


@dataclass(frozen=True)
class Stage:
    """What the tests of a folder share."""

    folder: Path
    sandbox: dict[str, str]
    settings: dict[str, str]
    server: Server
    operator: Operator


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("gateway")
    async with (
        running_sandbox(folder) as sandbox,
        forked_gateway(folder, settings := settings_of(folder, sandbox)) as server,
        caller() as http,
    ):
        await server.wait_serving()
        operator = Operator(http, sandbox["SANDBOX_URL"], folder / "data" / "sessions")
        yield Stage(folder, sandbox, settings, server, operator)


@pytest.fixture
def folder(stage: Stage) -> Path:
    return stage.folder


@pytest.fixture
def sandbox(stage: Stage) -> dict[str, str]:
    return stage.sandbox


@pytest.fixture
def settings(stage: Stage) -> dict[str, str]:
    return stage.settings


@pytest.fixture
def server(stage: Stage) -> Server:
    return stage.server


@pytest.fixture
def operator(stage: Stage) -> Operator:
    return stage.operator
