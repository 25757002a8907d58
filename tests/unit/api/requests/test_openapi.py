"""Calls made up from the API's own description, good as well as bad."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import create_app
from api.settings import Settings
from tests.fakes.gateway import FakeGateway, view
from tests.support.waiting import PATIENCE
from tests.unit.api.calls import ADMIN_KEY, NUMBER, SECRET_KEY, bearer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from quart.typing import TestClientProtocol

EXAMPLES = 5
TOKEN = "token-of-the-number"
CALLS = [
    ("POST", "/webhook"),
    ("GET", "/webhook"),
    ("PUT", "/webhook"),
    ("DELETE", "/webhook"),
    ("GET", "/numbers"),
    ("POST", "/numbers/actions"),
    ("GET", "/numbers/{number}"),
    ("GET", "/numbers/{number}/chats"),
    ("GET", "/numbers/{number}/log"),
    ("GET", "/numbers/{number}/traffic"),
    ("GET", "/traffic"),
    ("POST", "/numbers/{number}/restart"),
    ("GET", "/numbers/{number}/history"),
    ("POST", "/numbers/{number}/planfix/test"),
    ("GET", "/numbers/{number}/messages/{message_id}"),
    ("DELETE", "/numbers/{number}/messages/{message_id}"),
    ("POST", "/numbers/{number}/login"),
    ("POST", "/numbers/{number}/login/code"),
    ("POST", "/numbers/{number}/login/password"),
    ("POST", "/numbers/{number}/login/link"),
    ("GET", "/numbers/{number}/login/qr.svg"),
    ("POST", "/numbers/{number}/session/export"),
    ("GET", "/numbers/{number}/messages"),
    ("POST", "/numbers/{number}/messages/{message_id}/replay"),
    ("POST", "/numbers/{number}/replay"),
    ("GET", "/numbers/{number}/receipts"),
    ("POST", "/webhook/message"),
    ("POST", "/bots"),
    ("GET", "/bots"),
    ("GET", "/bots/{bot}"),
    ("DELETE", "/bots/{bot}"),
    ("POST", "/bots/{bot}/restart"),
    ("GET", "/bots/{bot}/people"),
    ("POST", "/notify"),
    ("GET", "/notify/{notification}"),
    ("POST", "/notify/preview"),
    ("GET", "/templates/{name}"),
    ("PUT", "/templates/{name}"),
    ("DELETE", "/templates/{name}"),
    ("POST", "/webhook/planfix-event"),
    ("GET", "/audit"),
    ("GET", "/alarms"),
    ("GET", "/nodes"),
    ("POST", "/nodes/{node}/drain"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]
MINI_APP = "/teamflame/"  # tried with a TeamFlame behind it, in tests/acceptance/teamflame/
ENDLESS = ("get", "/events")  # a stream, see tests/acceptance/messages/test_operations.py
TAKES_NOTHING = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/traffic",
}  # so that nothing about the call can be wrong
MADE_UP = [
    (mode, method, path)
    for mode in GenerationMode
    for method, path in CALLS
    if mode is GenerationMode.POSITIVE or path not in TAKES_NOTHING
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class OneNumber(FakeGateway):
    """A gateway whose one number's token is known."""

    def __init__(self) -> None:
        super().__init__()
        self.views[NUMBER] = view(NUMBER, "Romashka")
        self.tokens.of[NUMBER] = TOKEN


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve from a thread of its own, since the callers block."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.errorlog = None
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    app = create_app(settings, OneNumber())
    served = threading.Thread(
        target=loop.run_until_complete,
        args=[serve(app, config, shutdown_trigger=stop.wait)],
    )
    served.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(stop.set)
    served.join()
    loop.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    values = {
        "admin_key": ADMIN_KEY,
        "secret_key": SECRET_KEY,
        "telegram_api_id": 1,
        "telegram_api_hash": "f" * 32,
        "data_dir": tmp_path_factory.mktemp("data"),
    }
    with serving(Settings.model_validate(values)) as url:
        yield url


@pytest.fixture(scope="module")
def described(served: str) -> Any:
    return schemathesis.openapi.from_url(f"{served}/openapi.json", timeout=PATIENCE)


@pytest.mark.parametrize(("mode", "method", "path"), MADE_UP)
@pytest.mark.parametrize("key", [bearer(ADMIN_KEY), {"Token": TOKEN}], ids=["operator", "client"])
def test_no_call_breaks_the_api(
    described: Any, served: str, method: str, path: str, key: dict[str, str], mode: GenerationMode
) -> None:
    """Whatever is sent with whichever key: never a 5xx, always a body as described."""
    made_up = described[path][method].as_strategy(generation_mode=mode)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=made_up)
    def call(case: Any) -> None:
        response = case.call(base_url=served, headers=key, timeout=PATIENCE)
        # The server refuses a head of more than 64 KiB before the application sees it.
        if response.status_code != HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            case.validate_response(response, checks=CHECKS)

    call()


async def test_every_described_call_is_tried(client: TestClientProtocol) -> None:
    """A call that is added to the API is added here."""
    paths = (await (await client.get("/openapi.json")).get_json())["paths"]

    described = {(method, path) for path, methods in paths.items() for method in methods}
    own = {(method, path) for method, path in described if not path.startswith(MINI_APP)}
    assert own - {ENDLESS} == {(method.lower(), path) for method, path in CALLS}
