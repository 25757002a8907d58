"""What a number's own token may not change: whose login it runs on, which client it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.errors import SessionPathForbidden
from tests.unit.api.calls import ADMIN_KEY, FORM, NUMBER, bearer, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway


@pytest.fixture
async def token(client: TestClientProtocol) -> str:
    return await start(client)


@pytest.mark.parametrize(
    "fields",
    [
        {"name_session": "380955821320"},
        {"path_session": "vesna"},
        {"path_session": "..", "name_session": "etc"},
        {"path_session": "x" * 5000},
        {"path_session": ["a"]},
        {"name_session": "nobody", "user_email": "a@b.c"},
        {"name_session": " "},
        {"string_session": "1abc"},
        {"name": "Vesna"},
    ],
)
async def test_token_changes_neither_session_nor_name(
    client: TestClientProtocol, gateway: FakeGateway, token: str, fields: dict[str, object]
) -> None:
    """The answer is the same whatever is named; nothing is changed, nothing looked for."""
    response = await client.put(
        "/webhook", json={"number": NUMBER, **fields}, headers=bearer(token)
    )

    assert response.status_code == 403
    assert (await response.get_json())["error"] == "operator_only"
    assert gateway.changed == []


async def test_token_may_not_bring_a_session_by_form(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """A form is read like JSON."""
    headers = {**bearer(token), "Content-Type": FORM}

    response = await client.put(
        "/webhook", data=f"number={NUMBER}&name_session=nobody", headers=headers
    )

    assert response.status_code == 403
    assert gateway.changed == []


@pytest.mark.parametrize(
    "fields",
    [{"name": "Romashka"}, {"name_session": ""}, {"string_session": None}, {"user_email": "a@b.c"}],
)
async def test_token_changes_what_is_the_clients(
    client: TestClientProtocol, gateway: FakeGateway, token: str, fields: dict[str, object]
) -> None:
    """The name that the number has already, or an empty session field, is no change."""
    response = await client.put(
        "/webhook", json={"number": NUMBER, **fields}, headers=bearer(token)
    )

    assert response.status_code == 200
    assert len(gateway.changed) == 1


async def test_operator_changes_both(
    client: TestClientProtocol, gateway: FakeGateway, token: str
) -> None:
    """With the admin key every field may be changed, and a wrong path is told."""
    body = {"number": NUMBER, "name": "Vesna", "path_session": "vesna"}

    changed = await client.put("/webhook", json=body, headers=bearer(ADMIN_KEY))
    gateway.broken = SessionPathForbidden()
    wrong = await client.put("/webhook", json=body, headers=bearer(ADMIN_KEY))

    assert (changed.status_code, wrong.status_code) == (200, 400)
