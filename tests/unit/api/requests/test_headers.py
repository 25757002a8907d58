"""The headers that go with every answer, whatever it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api import create_app
from api.security.request_guard import GuardedCall
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from api.settings import Settings
    from tests.fakes.gateway import FakeGateway

ASKED = [{}, bearer(ADMIN_KEY)]
FILLED = {
    "<number>": NUMBER,
    "<message_id>": "1",
    "<secret>": "s",
    "<token>": "t",
    "<name>": "n",
    "<path:filename>": "login.js",
}


def paths_of(client: TestClientProtocol) -> set[str]:
    paths = {rule.rule for rule in client.app.url_map.iter_rules()} | {"/nothing", "/login/x"}
    for placeholder, value in FILLED.items():
        paths = {path.replace(placeholder, value) for path in paths}
    return paths


async def test_every_answer_is_guarded(client: TestClientProtocol) -> None:
    """No answer is framed, sniffed, named to other sites, kept by a cache, runs foreign scripts."""
    await start(client)

    for path in paths_of(client):
        for method in ("GET", "POST", "OPTIONS"):
            for key in ASKED:
                headers = (await client.open(path, method=method, headers=key, json={})).headers
                policy = headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy or "default-src 'none'" in policy, path
                assert "frame-ancestors 'none'" in policy, path
                assert "unsafe" not in policy, path
                assert headers["X-Content-Type-Options"] == "nosniff", path
                assert headers["X-Frame-Options"] == "DENY", path
                assert headers["Referrer-Policy"] == "no-referrer", path
                assert path.startswith("/static/") or headers["Cache-Control"] == "no-store", path
                assert "Set-Cookie" not in headers, path
                assert "Access-Control-Allow-Origin" not in headers, path


@pytest.mark.parametrize(
    ("public_url", "value"),
    [("https://gateway.example", "max-age=31536000"), ("http://127.0.0.1:8080", None)],
)
async def test_browsers_are_told_to_stay_with_tls(
    settings: Settings, gateway: FakeGateway, public_url: str, value: str | None
) -> None:
    """Where we are reached over https, nobody is led to plain http; elsewhere nothing is promised."""
    changed = settings.model_copy(update={"public_url": public_url})
    async with create_app(changed, gateway).test_app() as app:
        for path in ("/healthz", "/login/x/", "/nothing"):
            response = await app.test_client().get(path)
            assert response.headers.get("Strict-Transport-Security") == value


FRAMES = b"frame-ancestors 'self' https://web.telegram.org"
OWN = [
    ([], [(b"x-frame-options", b"DENY"), (b"cache-control", b"no-store")]),
    ([(b"cache-control", b"private")], [(b"x-frame-options", b"DENY")]),
    ([(b"content-security-policy", FRAMES)], [(b"cache-control", b"no-store")]),
]


@pytest.mark.parametrize(("own", "added"), OWN)
async def test_answer_keeps_what_it_says_itself(
    own: list[tuple[bytes, bytes]], added: list[tuple[bytes, bytes]]
) -> None:
    """It gets what it lacks, and nothing that contradicts its own policy on frames."""
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError

    async def send(event: Any) -> None:
        sent.append(event)

    call = GuardedCall(receive, send, 1.0, OWN[0][1], is_read=True)
    await call.send({"type": "http.response.start", "status": 200, "headers": own})
    await call.send({"type": "http.response.body", "body": b"", "more_body": False})

    assert sent[0]["headers"] == own + added
    assert [each["type"] for each in sent[1:]] == ["http.response.body"]
