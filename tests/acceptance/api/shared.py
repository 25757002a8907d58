"""A gateway with its sandbox for all tests of a module, each with numbers of its own.

A test module takes these fixtures as its own by naming them; its tests run in the loop of the session.
"""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sandbox(folder: Path) -> AsyncIterator[dict[str, str]]:
    async with running_sandbox(folder) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def settings(folder: Path, sandbox: dict[str, str]) -> dict[str, str]:
    return settings_of(folder, sandbox)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(folder: Path, settings: dict[str, str]) -> AsyncIterator[Server]:
    async with forked_gateway(folder, settings) as started:
        await started.wait_serving()
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operator(folder: Path, sandbox: dict[str, str]) -> AsyncIterator[Operator]:
    async with caller() as http:
        yield Operator(http, sandbox["SANDBOX_URL"], folder / "data" / "sessions")
