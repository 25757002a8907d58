"""The budgets of a number on POST and PUT, and in answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from supervisor.governor.budget import Settings, Suspicion, Usage, outlook
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, fields_at_fault, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

CHANGES = {"first_contacts_per_day": 10, "burst": 3}


async def test_settings_are_handed_down(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """What was sent on POST and PUT is what the gateway is given; what was left out is not in it."""
    token = await start(client, governor=CHANGES)
    await client.put("/webhook", json={"number": NUMBER}, headers=bearer(token))
    restored = {"number": NUMBER, "governor": {}}
    await client.put("/webhook", json=restored, headers=bearer(token))

    assert gateway.created[0].governor == CHANGES
    assert [changes.governor for changes in gateway.changed] == [None, {}]


async def test_form_may_hold_an_object(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """In a form, whose fields are texts, the object is written in JSON."""
    token = await start(client)
    form = {"number": NUMBER, "governor": json.dumps(CHANGES)}

    response = await client.put("/webhook", form=form, headers=bearer(token))

    assert response.status_code == 200
    assert gateway.changed[0].governor == CHANGES


@pytest.mark.parametrize(
    "wrong",
    [
        *({"burst": 0}, {"variance": 1}, {"nonsense": 1}, {"look_ups_per_day": "many"}),
        *("{", [1], "[" * 20_000),
    ],
)
async def test_nonsense_is_refused(client: TestClientProtocol, wrong: Any) -> None:
    """A field that does not exist, and a value that means nothing, are named in the answer."""
    await start(client)

    response = await client.put(
        "/webhook", json={"number": NUMBER, "governor": wrong}, headers=bearer(ADMIN_KEY)
    )

    assert response.status_code == 400
    assert all(field.startswith("governor") for field in await fields_at_fault(response))


async def test_what_is_left_is_shown(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """The answer about one number shows its budgets, and until when it only answers."""
    await start(client)
    usage = Usage(began=0.0, held=(7,), suspicion=Suspicion("PEER_FLOOD", 7200.0))
    shown = outlook(Settings(), usage, 3600.0)
    gateway.views[NUMBER] = replace(gateway.views[NUMBER], budgets=shown)

    response = await client.get(f"/numbers/{NUMBER}", headers=bearer(ADMIN_KEY))

    budgets = (await response.get_json())["governor"]
    assert budgets["first_contacts"] == {
        "per_day": 80,
        "used": 0,
        "left": 0,
        "waiting": 1,
        "next_at": "1970-01-01T02:00:00Z",
    }
    assert budgets["look_ups"] == {"used": 0, "left": 300}
    assert budgets["answers_only_until"] == "1970-01-01T02:00:00Z"
    assert budgets["cause"] == "PEER_FLOOD"
    assert budgets["settings"]["burst"] == 50
