"""Which chats go to Planfix, on POST and PUT: checked, handed down, shown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from session_worker.protocol.chats import ChatSelection, ListedChat, Mode
from supervisor.messages.message_service import Chats
from supervisor.store.values import ChatChanges, ChatChoice
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, draft, fields_at_fault, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

TODAY = datetime.now(UTC).date()  # or yesterday, if the tests run past midnight
CHATS = {"mode": "except", "people": [77, "@anna"], "folders": ["Family"], "contacts": True}
SELECTION = ChatSelection(
    mode=Mode.EXCEPT, people=("77", "@anna"), folders=("Family",), contacts=True
)


async def test_selection_is_handed_down(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """What was sent on POST and PUT is what the gateway is given, from a form, too."""
    since = datetime.now(UTC).date() - timedelta(days=90)
    token = await start(client, chats=CHATS, history_since=since.isoformat())
    form = {"number": NUMBER, "chats": json.dumps(CHATS), "history_since": ""}
    await client.put("/webhook", form=form, headers=bearer(token))
    await client.put("/webhook", json={"number": NUMBER}, headers=bearer(token))

    assert gateway.created[0].chats == ChatChanges(SELECTION, since)
    removed, untouched = gateway.changed
    assert removed.chats == ChatChanges(SELECTION, None, without_history=True)
    assert untouched.chats == ChatChanges()


@pytest.mark.parametrize(
    ("written", "days"),
    [("T00:00:00Z", 0), ("T23:30:00+00:00", 0), ("T23:30:00-02:00", 1), ("T12:30:00.5", 0)],
)
async def test_moment_means_its_day(
    client: TestClientProtocol, gateway: FakeGateway, written: str, days: int
) -> None:
    """Programs often write a moment where a day is enough; days are those of UTC."""
    day = TODAY - timedelta(days=9)

    await start(client, history_since=f"{day}{written}")

    assert gateway.created[0].chats == ChatChanges(None, day + timedelta(days=days))


@pytest.mark.parametrize(
    ("fields", "place", "reason"),
    [
        ({"chats": "everybody"}, "chats", "must be a JSON object"),
        ({"chats": ["only"]}, "chats", "JSON object"),
        ({"chats": {}}, "chats.mode", "required"),
        ({"chats": {"mode": "some"}}, "chats.mode", "'all', 'only' or 'except'"),
        ({"chats": {"mode": "all", "contacts": True}}, "chats", "names nobody"),
        ({"chats": {"mode": "only", "people": "anna"}}, "chats.people", "list"),
        ({"chats": {"mode": "only", "people": [""]}}, "chats.people.0", "must not be empty"),
        ({"chats": {"mode": "only", "people": ["a"] * 501}}, "chats.people", "at most 500"),
        ({"chats": {"mode": "only", "groups": []}}, "chats.groups", "not permitted"),
        ({"history_since": "yesterday"}, "history_since", "date"),
        ({"history_since": 20260101}, "history_since", "must be a date"),
        ({"history_since": "0001-01-01T00:00:00+12:00"}, "history_since", "90 days"),
        ({"history_since": "9999-12-31T23:59:59-12:00"}, "history_since", "date"),
        ({"history_since": f"{TODAY + timedelta(days=2)}"}, "history_since", "in the future"),
        ({"history_since": f"{TODAY - timedelta(days=91)}"}, "history_since", "at most 90 days"),
    ],
)
async def test_nonsense_is_refused_with_its_reason(
    client: TestClientProtocol, fields: dict[str, Any], place: str, reason: str
) -> None:
    """A selection that cannot be meant is refused, with the field and the reason."""
    response = await client.post("/webhook", json=draft(**fields), headers=bearer(ADMIN_KEY))

    assert response.status_code == 400
    detail = (await response.get_json())["detail"]
    assert await fields_at_fault(response) == {place}
    assert reason in detail[0]["reason"]


async def test_selection_is_shown_with_its_number(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """The number's page says which chats go; the list of all numbers does not."""
    await start(client)
    gateway.views[NUMBER] = replace(gateway.views[NUMBER], chats=ChatChoice(SELECTION, TODAY))

    response = await client.get(f"/numbers/{NUMBER}", headers=bearer(ADMIN_KEY))

    shown = await response.get_json()
    assert shown["chats"] == {**CHATS, "people": ["77", "@anna"]}
    assert shown["history_since"] == TODAY.isoformat()


@pytest.mark.parametrize("is_client", [True, False])
async def test_preview_asks_the_worker(
    client: TestClientProtocol, gateway: FakeGateway, *, is_client: bool
) -> None:
    """A preview may try another selection; only the number's own token asks for all names."""
    token = await start(client)
    listed = ListedChat(peer_id=7, is_chosen=False)
    gateway.messages.chats_found = Chats((listed,), ("Family",), is_complete=True)
    key = token if is_client else ADMIN_KEY

    path = f"/numbers/{NUMBER}/chats"
    query = {"chats": json.dumps(CHATS)}
    response = await client.get(path, query_string=query, headers=bearer(key))

    nobody = {"name": None, "username": None, "phone": None}
    assert await response.get_json() == {
        "chats": [{"chat_id": f"{NUMBER}_7", "user_id": 7, "goes": False, **nobody}],
        "unknown_folders": ["Family"],
        "complete": True,
    }
    assert gateway.messages.chats_asked == [(SELECTION, is_client)]
