"""What keys are good for beside the table of all addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

FREE = "380630000001"


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


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}, {"Token": " "}])
async def test_call_without_a_key_is_told_where_it_belongs(
    client: TestClientProtocol, headers: dict[str, str]
) -> None:
    """Who has sent no key is not told that a number does not exist."""
    response = await client.get("/numbers", headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert await response.get_json() == {
        "error": "unauthorized",
        "detail": "send the key in the header Authorization or Token",
    }


@pytest.mark.usefixtures("autojump_clock")
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
