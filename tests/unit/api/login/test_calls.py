"""The calls that log a number in, hand its session over, tell who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supervisor.errors import (
    CodeExpired,
    LoggedInAlready,
    LoginFlood,
    LoginRefused,
    NotLoggingIn,
    SessionStringBroken,
    TelegramUnreachable,
    WorkerTimeout,
    WorkerUnavailable,
    WrongAccount,
)
from supervisor.login.session_transfer import SessionSource
from supervisor.numbers.state import State
from tests.fakes.gateway import view
from tests.fakes.logins import CODE, EXPIRES, PASSWORD, QR_URL
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft, fields_at_fault, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol
    from quart.wrappers import Response

    from tests.fakes.gateway import FakeGateway

LOGIN = f"/numbers/{NUMBER}/login"


async def post(client: TestClientProtocol, path: str, **body: Any) -> Response:
    return await client.post(path, json=body, headers=bearer(ADMIN_KEY))


@pytest.fixture
async def token(client: TestClientProtocol) -> str:
    return await start(client)


async def test_login_answers_as_described(client: TestClientProtocol, token: str) -> None:
    """Each step says the state it has led to, the QR way its address with its end."""
    by_qr = await post(client, LOGIN, method="qr")
    by_code = await post(client, LOGIN, method="code")
    code = await post(client, f"{LOGIN}/code", code=CODE)
    password = await post(client, f"{LOGIN}/password", password=PASSWORD)

    assert (by_qr.status_code, by_code.status_code) == (202, 202)
    assert await by_qr.get_json() == {
        "state": "needs_login",
        "qr_url": QR_URL,
        "expires_at": EXPIRES.isoformat().replace("+00:00", "Z"),
    }
    assert await by_code.get_json() == {"state": "needs_code"}
    assert await code.get_json() == {"state": "needs_password"}
    assert await password.get_json() == {"state": "online"}


async def test_who_begins_a_login_is_known(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """The operator's login and the client's are told apart."""
    await client.post(LOGIN, json={"method": "qr"}, headers=bearer(token))
    await post(client, LOGIN, method="qr")

    assert gateway.logins.begun_by == ["client", "operator"]
    assert [(e.who, e.action, e.detail) for e in gateway.audit.entries[-2:]] == [
        ("client", "login_begun", "by qr"),
        ("operator", "login_begun", "by qr"),
    ]


async def test_code_may_be_a_number(client: TestClientProtocol, token: str) -> None:
    """Digits are digits, whether a program sends them as text or not."""
    await post(client, LOGIN, method="code")

    entered = await post(client, f"{LOGIN}/code", code=int(CODE))

    assert await entered.get_json() == {"state": "needs_password"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CodeExpired(), 400, "code_expired"),
        (WrongAccount(), 400, "wrong_account"),
        (LoginRefused("PHONE_NUMBER_INVALID"), 400, "login_refused"),
        (NotLoggingIn(), 409, "not_logging_in"),
        (LoggedInAlready(), 409, "logged_in"),
        (TelegramUnreachable(), 503, "telegram_unreachable"),
        (WorkerUnavailable(), 503, "worker_unavailable"),
        (WorkerTimeout(), 503, "worker_timeout"),
    ],
)
async def test_failed_login_is_told(
    client: TestClientProtocol,
    gateway: FakeGateway,
    token: str,
    error: Exception,
    status: int,
    code: str,
) -> None:
    """Each reason has its own status with its own code."""
    gateway.logins.broken = error

    response = await post(client, LOGIN, method="code")

    assert (response.status_code, (await response.get_json())["error"]) == (status, code)


@pytest.mark.parametrize(("seconds", "header"), [(599.2, "600"), (None, None)])
async def test_wait_stands_in_the_header(
    client: TestClientProtocol,
    gateway: FakeGateway,
    token: str,
    seconds: float | None,
    header: str | None,
) -> None:
    """Retry-After says how long, where Telegram has said it."""
    gateway.logins.broken = LoginFlood(seconds)

    response = await post(client, LOGIN, method="code")

    assert response.status_code == 429
    assert response.headers.get("Retry-After") == header


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (LOGIN, {}, "method"),
        (LOGIN, {"method": "magic"}, "method"),
        (f"{LOGIN}/code", {"code": ""}, "code"),
        (f"{LOGIN}/code", {"code": "1" * 33}, "code"),
        (f"{LOGIN}/code", {"code": True}, "code"),
        (f"{LOGIN}/password", {"password": ""}, "password"),
        (f"{LOGIN}/password", {"password": "x" * 1025}, "password"),
        (f"/numbers/{NUMBER}/session/export", {"format": "file"}, "format"),
    ],
)
async def test_bad_entry_is_told_without_itself(
    client: TestClientProtocol, token: str, path: str, body: dict[str, Any], field: str
) -> None:
    """What was entered is a secret even when it cannot be right."""
    response = await post(client, path, **body)

    assert await fields_at_fault(response) == {field}
    assert "1" * 33 not in await response.get_data(as_text=True)


async def test_new_number_comes_with_a_login_page(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """A number that needs its login gets a link; one that is online gets none."""
    online = await post(client, "/webhook", **draft(number="380630000001"))
    gateway.state_of_new = State.NEEDS_LOGIN

    waiting = await post(client, "/webhook", **draft())

    assert "login_url" not in await online.get_json()
    (secret,) = gateway.links.given
    login_url = (await waiting.get_json())["login_url"]
    assert login_url == f"http://127.0.0.1:8080/login/{secret}/"


async def test_link_is_made_anew(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """The operator gets the address with its end."""
    made = await post(client, f"{LOGIN}/link")

    body = await made.get_json()
    (secret,) = gateway.links.given
    assert made.status_code == 201
    assert body["url"].endswith(f"/login/{secret}/")
    assert body["expires_at"] > "2"
    assert gateway.audit.entries[-1].action == "login_link_made"


async def test_session_text_is_the_operators_business(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """A number's own token may change the number, but not put another login into it."""
    body = {"number": NUMBER, "string_session": "1abc"}

    by_client = await client.put("/webhook", json=body, headers=bearer(token))
    by_operator = await client.put("/webhook", json=body, headers=bearer(ADMIN_KEY))

    assert (by_client.status_code, by_operator.status_code) == (403, 200)
    assert gateway.sources == [SessionSource(string="1abc")]
    assert "1abc" not in repr(gateway.sources)


async def test_broken_session_text_is_the_callers_fault(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """The field is named, its content is not."""
    gateway.broken = SessionStringBroken()

    response = await post(client, "/webhook", **draft(string_session="1secret"))

    assert await fields_at_fault(response) == {"string_session"}
    assert "1secret" not in await response.get_data(as_text=True)


async def test_export_is_written_down_first(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """Nobody gets a session without a trace in the audit log."""
    exported = await post(client, f"/numbers/{NUMBER}/session/export", format="string")

    assert await exported.get_json() == {"string_session": "1string-session"}
    assert (gateway.audit.entries[-1].who, gateway.audit.entries[-1].action) == (
        "operator",
        "session_exported",
    )


async def test_export_is_refused_if_it_cannot_be_written_down(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """While the audit log cannot be written, nobody gets a session."""
    gateway.audit.is_away = True

    refused = await post(client, f"/numbers/{NUMBER}/session/export", format="string")

    assert refused.status_code == 503
    assert "string_session" not in await refused.get_json()


async def test_audit_tells_who_did_what(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """Start, change, restart, stop, purge: each with its author, the newest first."""
    token = await start(client)
    named = {"name": "Romashka", "number": NUMBER}
    await client.put(
        "/webhook", json={"number": NUMBER, "user_email": "a@b.c"}, headers=bearer(token)
    )
    await client.post(f"/numbers/{NUMBER}/restart", headers=bearer(ADMIN_KEY))
    await client.delete("/webhook", json=named, headers=bearer(token))
    await client.delete("/webhook?purge=1", json=named, headers=bearer(ADMIN_KEY))

    response = await client.get(f"/audit?number=%2B{NUMBER}&limit=10", headers=bearer(ADMIN_KEY))

    entries = (await response.get_json())["entries"]
    assert [(entry["who"], entry["action"]) for entry in entries] == [
        ("operator", "purged"),
        ("client", "stopped"),
        ("operator", "restarted"),
        ("client", "changed"),
        ("operator", "started"),
    ]
    assert set(entries[0]) == {"id", "at", "who", "action", "number", "detail"}


async def test_audit_is_read_in_pages(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """`before` goes on where the last page ended; a bad page is refused."""
    gateway.views[NUMBER] = view(NUMBER, "Romashka")
    for _ in range(3):
        await gateway.audit.append("operator", "restarted", NUMBER)

    first = await client.get("/audit?limit=2", headers=bearer(ADMIN_KEY))
    last = (await first.get_json())["entries"][-1]["id"]
    second = await client.get(f"/audit?limit=2&before={last}", headers=bearer(ADMIN_KEY))
    bad = await client.get("/audit?limit=0&number=x&before=-1", headers=bearer(ADMIN_KEY))

    assert [entry["id"] for entry in (await second.get_json())["entries"]] == [1]
    assert await fields_at_fault(bad) == {"limit", "number", "before"}
