"""The life of a number over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.errors import SessionPathForbidden, SessionStringBroken
from supervisor.gateway import NO_SESSION
from supervisor.journal.values import ByDirection
from supervisor.numbers.state import State
from supervisor.store.values import Changes, LastError
from tests.fakes.gateway import view
from tests.unit.api.calls import ADMIN_KEY, FORM, NUMBER, bearer, draft, fields_at_fault, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

NAMED = {"name": "Romashka", "number": NUMBER}


async def test_post_starts_a_number(client: TestClientProtocol) -> None:
    """POST answers 201 with the token, the number's digits, its state."""
    response = await client.post("/webhook", json=draft(), headers=bearer(ADMIN_KEY))

    body = await response.get_json()
    assert response.status_code == 201
    assert body.pop("token")
    assert body == {**NAMED, "status": "online", "state": "online"}


async def test_token_is_told_though_the_audit_log_fails(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """A token is shown only once, so a database that fails after the number is there does not hide it."""
    gateway.audit.is_away = True

    response = await client.post("/webhook", json=draft(), headers=bearer(ADMIN_KEY))

    assert response.status_code == 201
    assert (await response.get_json())["token"] == gateway.tokens.of[NUMBER]


@pytest.mark.parametrize("written", [NUMBER, f"+{NUMBER}", int(NUMBER), f" {NUMBER} "])
async def test_number_may_be_written_in_several_ways(
    client: TestClientProtocol, written: str | int
) -> None:
    """Text, integer, with plus sign or without: it is one number."""
    response = await client.post("/webhook", json=draft(number=written), headers=bearer(ADMIN_KEY))

    assert (await response.get_json())["number"] == NUMBER


async def test_form_starts_a_number_too(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """A form says the same as JSON; its empty optional fields are no fields."""
    form = draft(name="Ромашка", user_email="", name_session="", provider_id="")

    response = await client.post("/webhook", form=form, headers=bearer(ADMIN_KEY))

    assert response.status_code == 201
    assert gateway.created[0].client == "Ромашка"
    assert gateway.created[0].user_email is None
    assert gateway.created[0].provider_id == "telegram"


async def test_running_number_is_not_started_again(client: TestClientProtocol) -> None:
    """POST of a number that runs is a conflict; its token stays."""
    token = await start(client)

    response = await client.post("/webhook", json=draft(), headers=bearer(ADMIN_KEY))

    assert response.status_code == 409
    assert (await response.get_json())["error"] == "number_exists"
    assert (
        await client.get("/webhook", query_string=NAMED, headers={"Token": token})
    ).status_code == 200


async def test_stopped_number_gets_a_new_token(client: TestClientProtocol) -> None:
    """After DELETE a number may be POSTed again; the old token dies."""
    old = await start(client)
    await client.delete("/webhook", json=NAMED, headers={"Token": old})

    new = await start(client)

    assert new != old
    answer = await client.get("/webhook", query_string=NAMED, headers={"Token": old})
    assert answer.status_code == 401


@pytest.mark.parametrize("where", ["query", "json", "form"])
async def test_get_reads_query_or_body(client: TestClientProtocol, where: str) -> None:
    """GET takes its fields from the query string, or from a body."""
    token = await start(client)
    place = {"query": "query_string", "json": "json", "form": "form"}[where]

    response = await client.get("/webhook", **{place: NAMED}, headers={"Token": token})

    assert (await response.get_json())["state"] == "online"


async def test_get_tells_how_the_number_is(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """GET tells state, since, restarts, last error, backlog each way, worker."""
    token = await start(client)
    gateway.views[NUMBER] = view(
        NUMBER,
        "Romashka",
        state=State.BACKING_OFF,
        restarts=3,
        last_error=LastError("crashed", "It crashed.", "Nobody needs to act."),
        backlog=ByDirection(into=2, out=5),
    )

    response = await client.get("/webhook", query_string=NAMED, headers=bearer(token))

    body = await response.get_json()
    assert body["status"] == "offline"
    assert body["since"] == "2026-01-01T00:00:00Z"
    assert body["last_error"]["action"] == "Nobody needs to act."
    assert body["backlog"] == {"in": 2, "out": 5}
    assert body["worker"] == {
        "pid": 4711,
        "uptime": 1.5,
        "memory": 9_000_000,
        "private": 5_000_000,
    }


async def test_name_must_be_the_clients(client: TestClientProtocol) -> None:
    """A number under another client's name is as unknown as no number."""
    token = await start(client)
    other = {**NAMED, "name": "Vesna"}

    shown = await client.get("/webhook", query_string=other, headers={"Token": token})
    stopped = await client.delete("/webhook", json=other, headers={"Token": token})
    shown_to_operator = await client.get("/webhook", query_string=other, headers=bearer(ADMIN_KEY))
    stopped_by_operator = await client.delete("/webhook", json=other, headers=bearer(ADMIN_KEY))

    assert (shown.status_code, stopped.status_code) == (401, 401)
    assert (shown_to_operator.status_code, stopped_by_operator.status_code) == (404, 404)


async def test_operator_may_look_too(client: TestClientProtocol) -> None:
    """GET is opened by the admin key as by the number's token."""
    await start(client)

    response = await client.get("/webhook", query_string=NAMED, headers=bearer(ADMIN_KEY))

    assert (await response.get_json())["state"] == "online"


async def test_put_changes_only_what_is_given(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """PUT hands on the given fields alone."""
    token = await start(client)

    response = await client.put(
        "/webhook", json={"number": NUMBER, "token_planfix": "new"}, headers={"Token": token}
    )

    assert await response.get_json() == {"status": "online", "state": "online"}
    assert (gateway.changed, gateway.sources) == ([Changes(token_planfix="new")], [NO_SESSION])


async def test_put_with_an_empty_field_changes_nothing(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """An empty address is an error, not an address left out."""
    token = await start(client)

    response = await client.put(
        "/webhook", json={"number": NUMBER, "url_planfix": ""}, headers={"Token": token}
    )

    assert await fields_at_fault(response) == {"url_planfix"}
    assert gateway.changed == []


async def test_delete_says_whether_it_ran(client: TestClientProtocol) -> None:
    """DELETE stops the number once; then it was stopped already."""
    token = await start(client)

    first = await client.delete("/webhook", json=NAMED, headers={"Token": token})
    second = await client.delete("/webhook", json=NAMED, headers={"Token": token})

    assert await first.get_json() == {"status": "offline", "was_running": True}
    assert await second.get_json() == {"status": "offline", "was_running": False}


async def test_delete_takes_its_fields_from_the_query(client: TestClientProtocol) -> None:
    """Some clients send no body with DELETE."""
    token = await start(client)

    stopped = await client.delete("/webhook", query_string=NAMED, headers={"Token": token})

    assert await stopped.get_json() == {"status": "offline", "was_running": True}


@pytest.mark.parametrize("how", ["query", "json", "form"])
async def test_purge_erases_the_number(
    client: TestClientProtocol, gateway: FakeGateway, how: str
) -> None:
    """`purge=true` counts in the query as well as in the body."""
    token = await start(client)
    calls = {
        "query": lambda: client.delete("/webhook?purge=true", json=NAMED, headers={"Token": token}),
        "json": lambda: client.delete(
            "/webhook", json={**NAMED, "purge": True}, headers={"Token": token}
        ),
        "form": lambda: client.delete(
            "/webhook", form={**NAMED, "purge": "true"}, headers={"Token": token}
        ),
    }

    await calls[how]()

    assert gateway.views == {}


@pytest.mark.parametrize("wait", ["-1", "nan", "inf", "soon", ""])
async def test_wait_has_bounds(client: TestClientProtocol, gateway: FakeGateway, wait: str) -> None:
    """A `wait` nobody can wait is refused before anything happens."""
    response = await client.post(
        "/webhook", query_string={"wait": wait}, json=draft(), headers=bearer(ADMIN_KEY)
    )

    assert await fields_at_fault(response) == {"wait"}
    assert gateway.views == {}


@pytest.mark.parametrize(("asked", "waited"), [("0", 0.0), ("2.5", 2.5), ("120", 60.0)])
async def test_longest_wait_is_a_minute(
    client: TestClientProtocol, gateway: FakeGateway, asked: str, waited: float
) -> None:
    """Somebody who is more patient than we are gets an answer all the same."""
    response = await client.post(
        "/webhook", query_string={"wait": asked}, json=draft(), headers=bearer(ADMIN_KEY)
    )

    assert (response.status_code, gateway.waits) == (201, [waited])


@pytest.mark.parametrize(
    ("error", "field"),
    [(SessionPathForbidden(), "path_session"), (SessionStringBroken(), "string_session")],
)
async def test_bad_session_file_is_the_callers_fault(
    client: TestClientProtocol, gateway: FakeGateway, error: Exception, field: str
) -> None:
    """What is wrong with a session file is told as a field with its reason."""
    gateway.broken = error

    response = await client.post(
        "/webhook", json=draft(path_session="../x"), headers=bearer(ADMIN_KEY)
    )

    assert await fields_at_fault(response) == {field}


async def test_form_in_another_type_is_not_taken(client: TestClientProtocol) -> None:
    """A repeated field is not silently one of both."""
    body = f"name=Romashka&number={NUMBER}&number=1".encode()

    response = await client.delete(
        "/webhook", data=body, headers={**bearer(ADMIN_KEY), "Content-Type": FORM}
    )

    assert await fields_at_fault(response) == {"number"}
