"""A sandbox to log numbers in at, settings that point the gateway there."""

from __future__ import annotations

import asyncio
import itertools
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio

from tests.acceptance.api.operator import Operator, settings_of
from tests.acceptance.api.server import TOP, free_port, gateway
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.acceptance.api.server import Server

NUMBERS = itertools.count(380_500_000_000)


@asynccontextmanager
async def running_sandbox(folder: Path) -> AsyncIterator[dict[str, str]]:
    telegram_port, http_port, key = free_port(), free_port(), folder / "dc.pem"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--telegram-port", str(telegram_port)),
        *("--http-port", str(http_port), "--key", str(key)),
        cwd=TOP,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        while (line := await process.stdout.readline()) != b"READY\n":
            assert line, "the sandbox ended while starting"
        yield {
            "TELEGRAM_DC": f"127.0.0.1:{telegram_port}",
            "TELEGRAM_DC_KEY": str(key),
            "SANDBOX_URL": f"http://127.0.0.1:{http_port}",
        }
    finally:
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
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
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
        yield Operator(http, sandbox["SANDBOX_URL"], tmp_path / "data" / "sessions")


@pytest.fixture
def number() -> str:
    return str(next(NUMBERS))
