"""Malformed calls are refused as Planfix documents it; nothing of them is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from api.notifications.planfix_events import MOST_FIELDS
from tests.unit.api.calls import FORM, start
from tests.unit.api.planfix_calls import (
    GOOD,
    JSON,
    LINK,
    PARAMETERS,
    Fields,
    raw,
    send,
    told,
)

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway


@pytest.mark.parametrize(
    "changes",
    [
        {"cmd": None},
        {"cmd": ""},
        {"cmd": "getTask"},
        {"cmd": "newmessage"},
        {"cmd": "x" * 10_000},
        {"providerId": None},
        {"providerId": ""},
        {"providerId": "p" * 256},
        {"messageId": None},
        {"messageId": ""},
        {"messageId": "9" * 256},
        {"message": None},
        {"message": ""},
        {"message": " \n\t"},
        {"message": "x" * (64 * 1024 + 1)},
        {"chatId": "c" * 256},
        {"channel": "somewhere"},
        {"channel": "1"},
        {"chatId": "", "contactPhone": "", "telegramUserName": "", "telegramUserId": ""},
        {"chatId": None, "contactPhone": None, "telegramUserName": None, "telegramUserId": None},
        {"attachments[url]": ""},
        {"attachments[url]": "file:///etc/passwd"},
        {"attachments[url]": "ftp://planfix.com/a"},
        {"attachments[url]": f"https://{'x' * 5000}"},
        {"attachments[name]": "a.pdf"},
        {"attachments[name]": "n" * 256, "attachments[url]": LINK},
    ],
    ids=lambda changes: " ".join(f"{name}={str(value)[:12]}" for name, value in changes.items()),
)
async def test_malformed_call_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, changes: Fields
) -> None:
    """Missing, empty, too long, of a wrong kind: `Invalid parameters`, nothing is kept."""
    token = await start(client)
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}

    response = await send(client, fields, token)

    assert await told(response) == PARAMETERS
    assert (await response.get_json())["detail"]
    assert gateway.messages.accepted == []


@pytest.mark.parametrize("name", [*GOOD, "token"])
async def test_repeated_field_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, name: str
) -> None:
    """Nobody can tell which of two values is meant."""
    token = await start(client)

    response = await send(client, [*{**GOOD, "token": token}.items(), (name, "other")], token)

    assert await told(response) == PARAMETERS
    assert gateway.messages.accepted == []


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [[], ["a"], {}, {"a": 1}, True, 1.5], ids=str)
async def test_field_of_another_type_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, name: str, value: Any
) -> None:
    """JSON can say what a form can't; a field of no use to us may be anything."""
    token = await start(client)

    response = await client.post("/webhook/message", json={**GOOD, "token": token, name: value})

    if name in {"userName", "userLastName", "userIco", "taskEmail"}:
        assert response.status_code == 200
    else:
        assert await told(response) == PARAMETERS
        assert gateway.messages.accepted == []


@pytest.mark.parametrize(
    "attachments", ["a", 1, {"name": "a"}, ["a"], [{"name": "a"}], [{"url": 1}], [[]]], ids=str
)
async def test_attachments_of_another_type_are_refused(
    client: TestClientProtocol, gateway: FakeGateway, attachments: Any
) -> None:
    """A list of names with links is all they can be."""
    token = await start(client)

    body = {**GOOD, "token": token, "attachments": attachments}
    response = await client.post("/webhook/message", json=body)

    assert await told(response) == PARAMETERS
    assert gateway.messages.accepted == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"", JSON),
        (b"{", JSON),
        (b"[]", JSON),
        (b"null", JSON),
        (b"[" * 10_000, JSON),
        (urlencode(GOOD, encoding="cp1251").encode(), FORM),
        (json.dumps(GOOD).encode("utf-16"), JSON),
        ("message=Добрий".encode("cp1251"), FORM),
        (b"&".join(b"field%d=1" % n for n in range(10_000)), FORM),
    ],
    ids=range(10),
)
async def test_unreadable_call_is_refused(
    client: TestClientProtocol, gateway: FakeGateway, body: bytes, kind: str
) -> None:
    """Empty, broken or wrongly encoded: nobody's token can be read from it."""
    await start(client)

    response = await raw(client, body, kind)

    assert await told(response) == PARAMETERS
    assert gateway.messages.accepted == []


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "multipart/form-data; boundary=x",
        f"{FORM}; charset=windows-1251",
        f"{JSON}; charset=utf-16",
    ],
)
async def test_other_kinds_of_call_are_refused(
    client: TestClientProtocol, gateway: FakeGateway, kind: str | None
) -> None:
    """Planfix sends forms in UTF-8; what is something else is told so."""
    token = await start(client)

    response = await raw(client, urlencode({**GOOD, "token": token}).encode(), kind)

    assert response.status_code == 415
    assert gateway.messages.accepted == []


async def test_charset_of_planfix_is_taken(client: TestClientProtocol) -> None:
    """The charset that is meant anyway may be named."""
    token = await start(client)
    body = urlencode({**GOOD, "token": token}).encode()

    assert (await raw(client, body, f"{FORM}; charset=UTF-8")).status_code == 200


async def test_enormous_form_is_refused(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """10 MB are not even read."""
    token = await start(client)

    response = await send(client, {**GOOD, "message": "x" * 10_000_000}, token)

    assert response.status_code == 413
    assert gateway.messages.accepted == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_refused(
    client: TestClientProtocol, gateway: FakeGateway, method: str
) -> None:
    """A message in a query string would end up in logs."""
    token = await start(client)

    query = {**GOOD, "token": token}
    response = await client.open("/webhook/message", method=method, query_string=query, json=None)

    assert response.status_code == 405
    assert gateway.messages.accepted == []


async def test_too_many_attachments_are_refused(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """No employee attaches hundreds of files to a message."""
    token = await start(client)
    files = [{"name": "a", "url": LINK}] * 51

    response = await client.post(
        "/webhook/message", json={**GOOD, "token": token, "attachments": files}
    )

    assert await told(response) == PARAMETERS
    assert gateway.messages.accepted == []


@pytest.mark.parametrize("name", [*GOOD, "token", "attachments[url]", "unknown field"])
async def test_nul_is_refused(client: TestClientProtocol, gateway: FakeGateway, name: str) -> None:
    """What PostgreSQL can't keep is refused in every field, in those of no use to us as well."""
    token = await start(client)

    response = await send(client, {**GOOD, "token": token} | {name: "a\0b"}, None)

    assert await told(response) == PARAMETERS
    assert gateway.messages.accepted == []


@pytest.mark.parametrize(
    "attached",
    [
        '{"name": "a\\u0000", "url": "https://p/1"}',
        '{"name": "a", "url": "https://p/\\ud800"}',
        '{"name": "a", "url": "https://p/1", "\\u0000": 1}',
        "[" * 800 + "]" * 800,
    ],
    ids=range(4),
)
async def test_unsound_text_is_refused_at_any_depth(
    client: TestClientProtocol, gateway: FakeGateway, attached: str
) -> None:
    """NUL or half of a character in a name or value within a field of JSON is found; depth ends in no 500."""
    fields = json.dumps({**GOOD, "token": await start(client)})
    body = f'{fields[:-1]}, "attachments": [{attached}]}}'

    response = await raw(client, body.encode(), JSON)

    assert await told(response) == PARAMETERS
    assert gateway.messages.accepted == []


@pytest.mark.parametrize(("parts", "status"), [(10, 200), (MOST_FIELDS, 401)])
async def test_event_in_very_many_parts_is_not_read(
    client: TestClientProtocol, parts: int, status: int
) -> None:
    """Each part costs much more than it takes to send, and the key is in one of them."""
    token = await start(client)
    fields = [("token", token), *(("task", "5") for _ in range(parts))]
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields
    )

    response = await client.post(
        "/webhook/planfix-event",
        data=f"{body}--x--\r\n".encode(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert response.status_code == status
