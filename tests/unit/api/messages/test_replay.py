"""Dead letters sent again over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from supervisor.database.tables import Direction, RowState
from supervisor.journal.values import Entry
from supervisor.texts import operator_text
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start
from tests.unit.api.planfix_calls import GOOD, send

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway


def entry(row: int, state: RowState) -> Entry:
    return Entry(
        id=row,
        direction=Direction.OUT,
        state=state,
        peer_id=7001,
        key=str(row),
        text="hello",
        files=(),
        is_echo=False,
        attempts=1,
        next_try=None,
        is_uncertain=False,
        error_code="MEDIA_EMPTY",
        error_detail=None,
        status="error",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        done=None,
    )


async def test_replays_are_written_down(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """The audit log tells who sent which dead letter again, or how many."""
    token = await start(client)
    gateway.messages.entries = [entry(3, RowState.DEAD), entry(2, RowState.DEAD)]

    one = await client.post(f"/numbers/{NUMBER}/messages/3/replay", headers=bearer(token))
    all_of_them = await client.post(f"/numbers/{NUMBER}/replay", headers=bearer(ADMIN_KEY))

    assert await one.get_json() == {"replayed": 1}
    assert await all_of_them.get_json() == {"replayed": 2}
    written = [(e.who, e.action, e.number, e.detail) for e in gateway.audit.entries[1:]]
    assert written == [
        ("client", "replayed", NUMBER, "message 3"),
        ("operator", "replayed", NUMBER, "messages: 2"),
    ]


async def test_refused_replay_is_no_deed(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """What is not dead, or not there, is not sent again, so nothing is written down."""
    token = await start(client)
    gateway.messages.entries = [entry(3, RowState.DELIVERED)]

    for row, status in (("3", 409), ("4", 404), ("x", 404)):
        path = f"/numbers/{NUMBER}/messages/{row}/replay"
        response = await client.post(path, headers=bearer(token))
        assert response.status_code == status

    assert [e.action for e in gateway.audit.entries] == ["started"]


async def test_refused_delete_says_what_it_is_for(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """A DELETE of a message that is no dead letter says what it can do, and in which state the message is."""
    token = await start(client)
    gateway.messages.entries = [entry(3, RowState.DELIVERED)]

    refused = await client.delete(f"/numbers/{NUMBER}/messages/3", headers=bearer(token))

    assert refused.status_code == 409
    assert await refused.get_json() == {
        "error": "not_dead",
        "detail": "DELETE dismisses a dead letter; a message in another state stays as it is. "
        "(it is delivered)",
    }


async def test_last_page_names_no_next_one(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """A page that is full because nothing more is there does not lead to an empty one."""
    token = await start(client)
    gateway.messages.entries = [entry(row, RowState.DELIVERED) for row in (4, 3, 2, 1)]
    pages, query = [], "?limit=2"
    while query:
        answer = await client.get(f"/numbers/{NUMBER}/messages{query}", headers=bearer(token))
        page = await answer.get_json()
        pages.append([each["id"] for each in page["messages"]])
        query = page["next_before"] and f"?limit=2&before={page['next_before']}"

    assert pages == [[4, 3], [2, 1]]


async def test_longest_id_of_planfix_is_found(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """Every `messageId` that a call may have can be searched for."""
    token = await start(client)
    longest = "9" * 255

    kept = await send(client, {**GOOD, "messageId": longest}, token)
    found = await client.get(
        f"/numbers/{NUMBER}/messages?message_id={longest}", headers=bearer(token)
    )

    assert (kept.status_code, found.status_code) == (200, 200)
    assert gateway.messages.selections[-1].planfix_id == longest


async def test_failure_is_told_in_words(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """The operator reads what happened and who has to do what, besides the code."""
    token = await start(client)
    gateway.messages.entries = [entry(3, RowState.DEAD)]

    answer = await client.get(f"/numbers/{NUMBER}/messages", headers=bearer(token))

    [message] = (await answer.get_json())["messages"]
    assert message["error"] == {
        "code": "MEDIA_EMPTY",
        "text": operator_text("MEDIA_EMPTY", "ru"),
        "detail": None,
    }
