"""What every test finds prepared."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.blocking import find_detector
from tests.support.clock import AutojumpClock, autojumping
from tests.support.databases import Postgres, make_tables, run_aside, running_postgres
from tests.support.ordering import dealt
from tests.support.routing import compile_builders_late

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

# How long an example takes says nothing on a busy machine.
settings.register_profile(
    "patient",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("patient")

compile_builders_late()

SETTINGS = (
    *("ADMIN_KEY", "SECRET_KEY", "DATABASE_URL", "DATA_DIR", "SESSION_ROOT", "PUBLIC_URL"),
    "TRUSTED_PROXIES",
    *("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELEGRAM_DC", "TELEGRAM_DC_KEY"),
    *("ALLOW_PRIVATE_PLANFIX", "SANDBOX", "LANGUAGE", "LOG_LEVEL", "LOG_FORMAT", "RETENTION_DAYS"),
    *("NODE_URL", "CLUSTER_KEY", "NODE_TTL", "NODE_TAKEOVER", "FILES_URL"),
    *("PORT", "SANDBOX_PORT"),
)

for setting in SETTINGS:  # before any of our modules can read them
    os.environ.pop(setting, None)


def pytest_collection() -> None:
    """Look for no garbage among half a million objects that stay: it would take seconds."""
    gc.disable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = dealt(items, config.rootpath, workers)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def blocking_calls_fail() -> Iterator[None]:
    """Let a blocking call of our packages in an event loop fail the test."""
    detector = find_detector()
    detector.activate()
    yield
    detector.deactivate()


@pytest.fixture
async def autojump_clock() -> AsyncIterator[AutojumpClock]:
    """Let waiting take no time."""
    with autojumping(asyncio.get_running_loop()) as clock:
        yield clock


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_original(postgres: Postgres) -> str:
    return postgres.make_original()


@pytest.fixture(scope="session")
def sqlite_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("original") / "telefix.db"
    run_aside(make_tables(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_original: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_original) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_original: Path, empty_sqlite_url: str) -> str:
    shutil.copy(sqlite_original, tmp_path / sqlite_original.name)
    return empty_sqlite_url


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    with postgres.fresh_database() as url:
        yield url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'telefix.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give a database of each kind in turn, with our tables, but without rows."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
