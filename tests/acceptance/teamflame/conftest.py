"""One sandbox and one database for all tests of a module, a TeamFlame for each test."""

from __future__ import annotations

import base64
import os
from itertools import count
from typing import TYPE_CHECKING

import pytest_asyncio
from quart import Quart

from sandbox.sandbox import Sandbox
from supervisor.store.store import Store
from teamflame.dialog.conversation import Conversation
from teamflame.service.client import ServiceConfig
from teamflame.teamflame import TeamFlame, TeamFlameConfig
from teamflame.web import auth, boards, mini_app, tasks
from teamflame.web.admission import share
from tests.acceptance.teamflame.office import BOT_TOKEN, Office
from tests.fakes.messenger import FakeMessenger
from tests.support.callers import caller
from tests.support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    import pytest

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def control() -> AsyncIterator[httpx.AsyncClient]:
    """Control a sandbox that a module's tests share."""
    async with (
        Sandbox() as sandbox,
        caller(sandbox.http_url) as client,
    ):
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def store(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    secret_key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    path = tmp_path_factory.mktemp("teamflame") / "telefix.db"
    async with Store(f"sqlite+aiosqlite:///{path}", secret_key) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def office(control: httpx.AsyncClient, store: Store) -> AsyncIterator[Office]:
    """Set up a TeamFlame, and our service in front of it."""
    name = f"office{next(_numbers)}"
    url = f"{control.base_url}/teamflame/{name}".replace("//teamflame", "/teamflame")
    config = TeamFlameConfig(
        bot_token=BOT_TOKEN,
        service=ServiceConfig(auth_url=f"{url}/auth", api_url=f"{url}/api", answer=PATIENCE),
        app_url="https://gateway.example/teamflame/app/",
        language="en",
    )
    teamflame = TeamFlame(config, store.database, store.vault, store.link_keys)
    app = Quart("tests.teamflame")
    for module in (auth, boards, tasks, mini_app):
        app.register_blueprint(module.blueprint)
    share(app, teamflame, lambda: "203.0.113.7")
    messenger = FakeMessenger()
    conversation = Conversation(teamflame, teamflame.dialogs, messenger)
    made = Office(control, store, name, teamflame, app.test_client(), messenger, conversation)
    await made.set_up()
    yield made
    await teamflame.stop()
