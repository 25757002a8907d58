"""What the operator and the platform see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from supervisor.errors import DatabaseUnavailable, StandingBy, WorkerTimeout
from supervisor.gateway import Readiness
from supervisor.journal.values import ByDirection
from supervisor.numbers.state import State
from supervisor.processes.page_merging import PageMerging
from tests.fakes.gateway import WORKER, view
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft, fields_at_fault, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

OTHER = "380670000001"


async def test_numbers_are_listed_by_client(client: TestClientProtocol) -> None:
    """GET /numbers lists all numbers, `?client=` one client's."""
    await start(client)
    await start(client, name="Vesna", number=OTHER)

    everyone = await client.get("/numbers", headers=bearer(ADMIN_KEY))
    vesna = await client.get("/numbers?client=Vesna", headers=bearer(ADMIN_KEY))
    nobody = await client.get("/numbers?client=Nobody", headers=bearer(ADMIN_KEY))

    assert [each["number"] for each in (await everyone.get_json())["numbers"]] == [NUMBER, OTHER]
    (entry,) = (await vesna.get_json())["numbers"]
    assert (entry["client"], entry["state"], entry["memory"]) == ("Vesna", "online", 9_000_000)
    assert (await nobody.get_json())["numbers"] == []


async def test_filter_without_a_value_is_none(client: TestClientProtocol) -> None:
    """A form that sends its empty fields, too, gets everything."""
    await start(client)
    filters = "direction=&state=&before=&message_id=&telegram_id=&chat=&search="

    listed = await client.get("/numbers?client=&state=", headers=bearer(ADMIN_KEY))
    journal = await client.get(f"/numbers/{NUMBER}/messages?{filters}", headers=bearer(ADMIN_KEY))

    assert [each["number"] for each in (await listed.get_json())["numbers"]] == [NUMBER]
    assert journal.status_code == 200


async def test_merging_is_told(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """GET /numbers says whether equal pages of workers are merged, how much of each worker is."""
    gateway.merging = PageMerging.IDLE
    await start(client)

    listed = await (await client.get("/numbers", headers=bearer(ADMIN_KEY))).get_json()

    assert listed["merging"] == "idle"
    assert listed["numbers"][0]["merged"] == 6_000_000


async def test_restart_is_counted(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """POST restart stops and starts, then says what became of it."""
    token = await start(client)

    response = await client.post(f"/numbers/+{NUMBER}/restart", headers=bearer(token))

    assert await response.get_json() == {"status": "online", "state": "online"}
    assert gateway.views[NUMBER].restarts == 1


@pytest.mark.parametrize("what", ["", "/history", "/traffic", "/log"])
async def test_number_that_does_not_exist_is_not_found(
    client: TestClientProtocol, what: str
) -> None:
    """An empty list would look as if the number were there."""
    response = await client.get(f"/numbers/380500000077{what}", headers=bearer(ADMIN_KEY))

    assert response.status_code == 404
    assert (await response.get_json())["error"] == "not_found"


async def test_root_leads_to_the_console(client: TestClientProtocol) -> None:
    """Whoever types only the address finds the page, also without a key."""
    response = await client.get("/")

    assert (response.status_code, response.headers["Location"]) == (302, "/console")


async def test_body_without_a_length_is_read(client: TestClientProtocol) -> None:
    """A client may send its settings to test in chunks, and then says no length beforehand."""
    token = await start(client)
    path = f"/numbers/{NUMBER}/planfix/test"
    headers = {"Token": token, "Content-Type": "application/json"}

    async with client.request(path, method="POST", headers=headers) as call:
        await call.send(b'{"url_planfix": "nowhere"}')
        await call.send_complete()

    assert (await call.as_response()).status_code == 400


async def test_health_asks_nobody(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """/healthz is fine as long as the process serves, whatever else is broken."""
    gateway.broken = DatabaseUnavailable()
    gateway.is_ready = Readiness(ok=False, reason="standing by")

    health = await client.get("/healthz")
    readiness = await client.get("/readyz")

    assert health.status_code == 200
    assert readiness.status_code == 503
    assert await readiness.get_json() == {"error": "not_ready", "detail": "standing by"}


async def test_ready_when_the_gateway_is(client: TestClientProtocol) -> None:
    """/readyz is 200 once every number that should run is started."""
    assert (await client.get("/readyz")).status_code == 200


async def test_metrics_count_by_state(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """Prometheus gets the states, restarts, backlogs, and the memory, lag and queue of each worker."""
    gateway.keys.old = 4
    gateway.views = {
        "1": view("1", "Romashka", backlog=ByDirection(into=2, out=5), restarts=3),
        "2": view("2", "Vesna", state=State.PARKED, worker=None),
    }

    response = await client.get("/metrics", headers=bearer(ADMIN_KEY))

    lines = (await response.get_data(as_text=True)).splitlines()
    assert 'telefix_numbers{state="online"} 1.0' in lines
    assert 'telefix_numbers{state="parked"} 1.0' in lines
    assert 'telefix_worker_restarts_total{number="1"} 3.0' in lines
    assert 'telefix_backlog{direction="in",number="1"} 2.0' in lines
    assert 'telefix_backlog{direction="out",number="1"} 5.0' in lines
    assert 'telefix_worker_memory_bytes{number="1"} 9e+06' in lines
    assert 'telefix_worker_merged_bytes{number="1"} 6e+06' in lines
    assert 'telefix_worker_loop_lag_seconds{number="1"} 0.25' in lines
    assert 'telefix_worker_queue_depth{number="1"} 7.0' in lines
    assert 'telefix_page_merging{state="on"} 1.0' in lines
    assert "telefix_ready 1.0" in lines
    assert "telefix_old_key_uses 4.0" in lines
    assert response.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StandingBy(), "standing_by"),
        (WorkerTimeout(), "worker_timeout"),
        (DatabaseUnavailable("password=hunter22"), "database_unavailable"),
    ],
)
async def test_what_is_out_of_reach_is_503(
    client: TestClientProtocol, gateway: FakeGateway, error: Exception, code: str
) -> None:
    """Trouble below us is told as 503 in words, without its inside."""
    gateway.broken = error

    response = await client.post("/webhook", json=draft(), headers=bearer(ADMIN_KEY))

    assert response.status_code == 503
    assert (await response.get_json())["error"] == code
    assert b"hunter22" not in await response.get_data()


async def test_a_bug_is_500_without_a_traceback(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """What nobody expected is logged; the caller learns nothing of our inside."""
    gateway.broken = RuntimeError("hunter22")
    client.app.config["PROPAGATE_EXCEPTIONS"] = False

    response = await client.get("/numbers", headers=bearer(ADMIN_KEY))

    assert response.status_code == 500
    assert (await response.get_json())["error"] == "internal_error"
    assert b"hunter22" not in await response.get_data()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/", 405, "method_not_allowed"),
        ("GET", "/webhook/", 404, "not_found"),
        ("GET", "/numbers/1/2/3", 404, "not_found"),
        ("GET", "/bots/1/2/3", 404, "not_found"),
        ("GET", "/bot", 404, "not_found"),
        ("PATCH", "/webhook", 405, "method_not_allowed"),
        ("DELETE", "/numbers", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
async def test_wrong_address_or_verb_is_told_as_json(
    client: TestClientProtocol, method: str, path: str, status: int, code: str
) -> None:
    """Errors of the server itself have the same body as ours."""
    response = await client.open(path, method=method, json={})

    assert response.status_code == status
    assert (await response.get_json())["error"] == code
    assert ("Allow" in response.headers) == (status == 405)


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("POST", "/bot123:abc", 404, "Not Found"),
        ("GET", "/bot123:abc", 404, "Not Found"),
        ("GET", "/bot123:abc/", 404, "Not Found"),
        ("POST", "/bot123:abc/sendMessage/", 404, "Not Found"),
        ("POST", "/bot123:abc/a/b", 404, "Not Found"),
        ("DELETE", "/bot123:abc", 404, "Not Found"),
        ("PUT", "/bot123:abc/getMe", 405, "Method Not Allowed"),
    ],
)
async def test_wrong_address_of_the_bot_api_is_told_in_its_words(
    client: TestClientProtocol, method: str, path: str, status: int, words: str
) -> None:
    """A program made for the Bot API finds the error body that it knows at every address under a token."""
    response = await client.open(path, method=method, json={})

    assert response.status_code == status
    assert await response.get_json() == {"ok": False, "error_code": status, "description": words}
    assert ("Allow" in response.headers) == (status == 405)


async def test_description_names_every_call(client: TestClientProtocol) -> None:
    """/openapi.json is made from the code: every call, its keys, its error body."""
    response = await client.get("/openapi.json")

    paths = (await response.get_json())["paths"]
    assert set(paths["/webhook"]) == {"post", "get", "put", "delete"}
    assert {"/numbers", "/numbers/{number}", "/numbers/{number}/restart"} <= set(paths)
    assert {"/healthz", "/readyz"} <= set(paths)
    assert "default" in paths["/webhook"]["post"]["responses"]
    assert paths["/numbers"]["get"]["security"] == [{"adminKey": []}]


async def test_docs_need_no_internet(client: TestClientProtocol) -> None:
    """/docs shows every call, loads nothing from elsewhere."""
    page = await (await client.get("/docs")).get_data(as_text=True)

    assert '<b class="post">POST</b> <code>/webhook</code>' in page
    assert "url_planfix" in page
    assert "://" not in page.replace("https://example.planfix.com", "")
    assert page.count("<script") == 1
    for name in ("docs.css", "docs.js"):
        assert f'="/static/{name}"' in page
        assert (await client.get(f"/static/{name}")).status_code == 200


async def test_pages_are_guarded(client: TestClientProtocol) -> None:
    """Every answer forbids framing, guessing of types, foreign scripts."""
    for path in ("/docs", "/healthz", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'self'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("query", ["client=a%00b", "client=Vesna&any=%00", "%00=1"])
async def test_nul_in_a_query_is_refused(client: TestClientProtocol, query: str) -> None:
    """No NUL gets past the API by a query either, whatever its field is called."""
    response = await client.get(f"/numbers?{query}", headers=bearer(ADMIN_KEY))

    assert response.status_code == 400


@pytest.mark.parametrize("query", ["client=%ff", "&".join(f"a{index}=1" for index in range(101))])
async def test_unreadable_query_is_named(client: TestClientProtocol, query: str) -> None:
    """What is wrong with a query is not looked for in a body."""
    response = await client.get(f"/numbers?{query}", headers=bearer(ADMIN_KEY))

    assert await fields_at_fault(response) == {"query"}


async def test_huge_id_is_refused(client: TestClientProtocol) -> None:
    """An id that no row can have is a fault of the call, not of the database."""
    await start(client)

    address = f"/numbers/{NUMBER}/messages?before={10**30}"
    response = await client.get(address, headers=bearer(ADMIN_KEY))

    assert response.status_code == 400


async def test_nonsense_of_one_number_spoils_no_metrics(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """A figure that is none is left out; the others are there."""
    for number in (NUMBER, OTHER):
        await start(client, number=number)
    nonsense = replace(WORKER, memory=10**400)
    gateway.views[OTHER] = replace(gateway.views[OTHER], worker=nonsense)

    metrics = await client.get("/metrics", headers=bearer(ADMIN_KEY))
    numbers = await client.get("/numbers", headers=bearer(ADMIN_KEY))

    text = await metrics.get_data(as_text=True)
    assert (metrics.status_code, numbers.status_code) == (200, 200)
    assert f'telefix_worker_memory_bytes{{number="{NUMBER}"}} 9e+06' in text
    assert f'telefix_worker_restarts_total{{number="{OTHER}"}} 0.0' in text
