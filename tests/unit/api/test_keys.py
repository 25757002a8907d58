"""Who is let in where: every address with every kind of key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

OTHER = "380670000001"
FREE = "380630000001"
NAMED = {"name": "Romashka", "number": NUMBER}
CHANGE = {"number": NUMBER, "token_planfix": "new"}

ADMIN_ONLY = "admin"
TOKEN_ONLY = "token"
EITHER = "either"

ROUTES = [
    ("POST", "/webhook", draft(number=FREE), ADMIN_ONLY),
    ("GET", "/webhook", NAMED, TOKEN_ONLY),
    ("PUT", "/webhook", CHANGE, EITHER),
    ("DELETE", "/webhook", NAMED, EITHER),
    ("GET", "/numbers", None, ADMIN_ONLY),
    ("GET", f"/numbers/{NUMBER}", None, EITHER),
    ("POST", f"/numbers/{NUMBER}/restart", None, EITHER),
    ("POST", f"/numbers/{NUMBER}/login", {"method": "qr"}, EITHER),
    ("POST", f"/numbers/{NUMBER}/login/code", {"code": "1"}, EITHER),
    ("POST", f"/numbers/{NUMBER}/login/password", {"password": "1"}, EITHER),
    ("GET", f"/numbers/{NUMBER}/login/qr.svg", None, EITHER),
    ("POST", f"/numbers/{NUMBER}/login/link", None, ADMIN_ONLY),
    ("POST", f"/numbers/{NUMBER}/session/export", {"format": "string"}, ADMIN_ONLY),
    ("GET", "/audit", None, ADMIN_ONLY),
    ("GET", "/metrics", None, ADMIN_ONLY),
]
ROUTE_NAMES = [f"{method} {path}" for method, path, _, _ in ROUTES]
KEYS = [
    "none",
    "empty",
    "wrong",
    "basic",
    "not ascii",
    "admin's hash",
    "other token",
    "token",
    "admin",
]


def headers_with(key: str, token: str, other: str) -> dict[str, str]:
    return {
        "none": {},
        "empty": bearer(""),
        "wrong": bearer("wrong"),
        "basic": {"Authorization": f"Basic {ADMIN_KEY}"},
        "not ascii": bearer("ключ".encode().decode("latin-1")),
        "admin's hash": bearer(str(hash(ADMIN_KEY))),
        "other token": bearer(other),
        "token": bearer(token),
        "admin": bearer(ADMIN_KEY),
    }[key]


def is_let_in(key: str, needs: str) -> bool:
    return (key == "admin" and needs != TOKEN_ONLY) or (key == "token" and needs != ADMIN_ONLY)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("method", "path", "body", "needs"), ROUTES, ids=ROUTE_NAMES)
async def test_only_the_right_key_opens(
    client: TestClientProtocol,
    method: str,
    path: str,
    body: dict[str, str] | None,
    needs: str,
    key: str,
) -> None:
    """Whoever has not the right key gets 401, whatever the address."""
    token = await start(client)
    other = await start(client, name="Vesna", number=OTHER)

    response = await client.open(
        path, method=method, json=body, headers=headers_with(key, token, other)
    )

    if is_let_in(key, needs):
        assert response.status_code in {200, 201, 202, 409}
    else:
        assert response.status_code == 401
        assert (await response.get_json())["error"] == "unauthorized"
        assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "body", "needs"), ROUTES, ids=ROUTE_NAMES)
async def test_refused_call_changes_nothing(
    client: TestClientProtocol,
    gateway: FakeGateway,
    method: str,
    path: str,
    body: dict[str, str] | None,
    needs: str,
) -> None:
    """A call with the token of another number leaves everything as it was."""
    await start(client)
    other = await start(client, name="Vesna", number=OTHER)
    before = dict(gateway.views)

    await client.open(path, method=method, json=body, headers=bearer(other))

    assert gateway.views == before
    assert gateway.changed == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_unknown_numbers_can_not_be_probed(client: TestClientProtocol, method: str) -> None:
    """A wrong key gets the same answer for a number that exists as for one that does not."""
    await start(client)

    known = await client.open("/webhook", method=method, json=NAMED, headers=bearer("wrong"))
    unknown = await client.open(
        "/webhook", method=method, json={**NAMED, "number": FREE}, headers=bearer("wrong")
    )

    assert known.status_code == unknown.status_code == 401
    assert await known.get_data() == await unknown.get_data()


@pytest.mark.parametrize(
    "path", [f"/numbers/{FREE}", "/numbers/abc", "/numbers/%D9%A3", "/numbers/0"]
)
async def test_operator_is_told_that_there_is_no_such_number(
    client: TestClientProtocol, path: str
) -> None:
    """The admin key gets 404 where others get 401."""
    known_to_operator = await client.get(path, headers=bearer(ADMIN_KEY))
    known_to_others = await client.get(path, headers=bearer("wrong"))

    assert known_to_operator.status_code == 404
    assert known_to_others.status_code == 401


async def test_token_travels_in_either_header(client: TestClientProtocol) -> None:
    """`Token` and `Authorization: Bearer` are both read; Bearer comes first."""
    token = await start(client)

    by_token = await client.get(f"/numbers/{NUMBER}", headers={"Token": token})
    by_both = await client.get(f"/numbers/{NUMBER}", headers={"Token": token, **bearer("wrong")})

    assert (by_token.status_code, by_both.status_code) == (200, 401)


async def test_guessing_is_slowed_down(client: TestClientProtocol) -> None:
    """After a hundred wrong keys the address must wait, unless it shows a right one."""
    token = await start(client)
    for _ in range(100):
        await client.get("/numbers", headers=bearer("wrong"))

    guess = await client.get("/numbers", headers=bearer("wrong"))
    operator = await client.get("/numbers", headers=bearer(ADMIN_KEY))
    owner = await client.get(f"/numbers/{NUMBER}", headers=bearer(token))

    assert guess.status_code == 429
    assert int(guess.headers["Retry-After"]) >= 1
    assert (operator.status_code, owner.status_code) == (200, 200)
