"""One call that acts on many numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supervisor.journal.values import ByDirection
from supervisor.numbers.state import State
from tests.fakes.gateway import view
from tests.unit.api.calls import ADMIN_KEY, bearer, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

ONLINE, PARKED, STOPPED = "380500000001", "380500000002", "380500000003"


@pytest.fixture
def numbers(gateway: FakeGateway) -> None:
    gateway.views = {
        ONLINE: view(ONLINE, "Romashka", dead=ByDirection(into=2)),
        PARKED: view(PARKED, "Romashka", state=State.PARKED),
        STOPPED: view(STOPPED, "Vesna", state=State.STOPPED),
    }


async def act(caller: TestClientProtocol, **body: Any) -> dict[str, str]:
    answer = await caller.post("/numbers/actions", json=body, headers=bearer(ADMIN_KEY))
    assert answer.status_code == 200, await answer.get_data(as_text=True)
    return {each["number"]: each["outcome"] for each in (await answer.get_json())["numbers"]}


@pytest.mark.usefixtures("numbers")
async def test_action_reaches_the_chosen_numbers(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """A client's numbers are restarted; each deed is in the audit log."""
    outcomes = await act(client, action="restart", client="Romashka")

    assert outcomes == {ONLINE: "done", PARKED: "done"}
    assert gateway.views[STOPPED].restarts == 0
    assert {(e.action, e.number) for e in gateway.audit.entries} == {
        ("restarted", ONLINE),
        ("restarted", PARKED),
    }


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize(
    ("action", "outcomes"),
    [
        ("stop", {ONLINE: "done", PARKED: "done", STOPPED: "skipped"}),
        ("start", {ONLINE: "skipped", PARKED: "done", STOPPED: "done"}),
        ("restart", {ONLINE: "done", PARKED: "done", STOPPED: "skipped"}),
        ("replay", {ONLINE: "done", PARKED: "skipped", STOPPED: "skipped"}),
    ],
)
async def test_action_skips_where_nothing_is_due(
    client: TestClientProtocol, action: str, outcomes: dict[str, str]
) -> None:
    """A stopped number is not restarted, a running one not started, and one without dead letters not replayed."""
    named = ",".join([ONLINE, PARKED, STOPPED])

    assert await act(client, action=action, numbers=named) == outcomes


@pytest.mark.usefixtures("numbers")
async def test_unknown_number_fails_alone(client: TestClientProtocol) -> None:
    """A number that does not exist is reported, and the others are done."""
    outcomes = await act(client, action="restart", numbers=[ONLINE, "380509999999"])

    assert outcomes == {ONLINE: "done", "380509999999": "failed"}


@pytest.mark.parametrize(
    "body",
    [
        {"action": "restart"},
        {"action": "explode", "client": "Romashka"},
        {"action": "stop", "state": "sleepy"},
        {"action": "stop", "numbers": ["1"]},
    ],
)
async def test_action_without_aim_is_refused(
    client: TestClientProtocol, body: dict[str, Any]
) -> None:
    """Without numbers, client or state nothing is done: nobody means all by saying nothing."""
    answer = await client.post("/numbers/actions", json=body, headers=bearer(ADMIN_KEY))

    assert answer.status_code == 400


async def test_actions_are_the_operators(client: TestClientProtocol) -> None:
    """A number's token does not open the call, not even for that number."""
    token = await start(client)

    body = {"action": "stop", "client": "Romashka"}
    answer = await client.post("/numbers/actions", json=body, headers=bearer(token))

    assert answer.status_code == 401
