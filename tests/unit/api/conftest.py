"""An application in front of a gateway in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api import create_app
from api.settings import Settings
from tests.fakes.gateway import FakeGateway
from tests.unit.api.calls import ADMIN_KEY, SECRET_KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from quart.typing import TestClientProtocol


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    values = {
        "admin_key": ADMIN_KEY,
        "secret_key": SECRET_KEY,
        "telegram_api_id": 1,
        "telegram_api_hash": "f" * 32,
        "data_dir": tmp_path / "data",
    }
    return Settings.model_validate(values)


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
async def client(settings: Settings, gateway: FakeGateway) -> AsyncIterator[TestClientProtocol]:
    async with create_app(settings, gateway).test_app() as app:
        yield app.test_client()
