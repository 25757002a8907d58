"""A sandbox to log numbers in at, settings that point the gateway there."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.acceptance.api.operator import Operator, settings_of
from tests.acceptance.api.server import gateway, running_sandbox
from tests.acceptance.api.stage import stage
from tests.support.callers import caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.acceptance.api.server import Server

__all__ = ["stage"]

NUMBERS = itertools.count(380_500_000_000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """Share one sandbox among a module's tests, each of which has numbers of its own."""
    async with running_sandbox(tmp_path_factory.mktemp("sandbox")) as addresses:
        yield addresses


@pytest.fixture
def settings(tmp_path: Path, sandbox: dict[str, str]) -> dict[str, str]:
    return settings_of(tmp_path, sandbox)


@pytest.fixture
async def server(tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Server]:
    async with gateway(tmp_path, settings) as started:
        await started.wait_serving()
        yield started


@pytest.fixture
async def operator(tmp_path: Path, sandbox: dict[str, str]) -> AsyncIterator[Operator]:
    async with caller() as http:
        yield Operator(http, sandbox["SANDBOX_URL"], tmp_path / "data" / "sessions")


@pytest.fixture
def number() -> str:
    return str(next(NUMBERS))
