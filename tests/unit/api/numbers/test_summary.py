"""What many numbers add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supervisor.journal.values import ByDirection
from supervisor.numbers.state import State
from supervisor.store.values import LastError
from tests.fakes.gateway import view
from tests.unit.api.calls import ADMIN_KEY, bearer

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

REFUSED = LastError("planfix_unauthorized", "stored", "stored", "401")
AWAY = LastError("telegram_unreachable", "stored", "stored")


def fill(gateway: FakeGateway) -> None:
    gateway.views = {
        "1": view("1", "Romashka", last_error=REFUSED, backlog=ByDirection(into=7)),
        "2": view("2", "Romashka", last_error=REFUSED),
        "3": view("3", "Vesna", state=State.RECONNECTING, last_error=AWAY),
        "4": view("4", "Vesna", dead=ByDirection(into=3, out=2)),
        "5": view("5", "Vesna", state=State.STOPPED, worker=None),
        "6": view("6", "Vesna"),
    }


async def test_numbers_are_grouped_by_cause(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """One cause of one client is one entry; first come those that need somebody."""
    fill(gateway)

    answer = await client.get("/numbers", headers={**bearer(ADMIN_KEY), "Accept-Language": "en"})

    summary = (await answer.get_json())["summary"]
    causes = [(each["client"], each["code"], each["numbers"]) for each in summary["causes"]]
    assert causes == [
        ("Romashka", "planfix_unauthorized", ["1", "2"]),
        ("Vesna", "dead_letters", ["4"]),
        ("Vesna", "telegram_unreachable", ["3"]),
    ]
    assert [each["attention"] for each in summary["causes"]] == [
        "needs_somebody",
        "needs_somebody",
        "mends_itself",
    ]
    assert summary["causes"][0]["action"].startswith("Client: copy the token")


async def test_summary_counts_what_is_lost(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """Dead letters are in every sum, and their number needs somebody although it is online."""
    fill(gateway)

    body = await (await client.get("/numbers", headers=bearer(ADMIN_KEY))).get_json()

    summary, by_number = body["summary"], {each["number"]: each for each in body["numbers"]}
    assert (summary["numbers"], summary["needs_somebody"], summary["mends_itself"]) == (6, 3, 1)
    assert summary["dead"] == {"in": 3, "out": 2}
    assert summary["states"] == {"online": 4, "reconnecting": 1, "stopped": 1}
    assert by_number["4"]["dead"] == {"in": 3, "out": 2}
    assert by_number["4"]["attention"] == "needs_somebody"
    assert by_number["6"]["attention"] == "none"
    vesna = summary["clients"][1]
    assert (vesna["client"], vesna["numbers"], vesna["online"]) == ("Vesna", 4, 2)


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        ("ru", "Планфикс не принимает"),
        ("uk-UA,uk;q=0.9,en;q=0.8", "Планфікс не приймає"),
        ("de-DE,de;q=0.9", "Planfix does not accept"),
        ("en", "Planfix does not accept"),
        (None, "Планфикс не принимает"),
    ],
)
async def test_last_error_is_told_in_the_readers_language(
    client: TestClientProtocol, gateway: FakeGateway, asked: str | None, begins: str
) -> None:
    """Whoever asks reads their own language, or English; without a wish, that of the gateway."""
    fill(gateway)
    headers = bearer(ADMIN_KEY) | ({"Accept-Language": asked} if asked else {})

    body = await (await client.get("/numbers/11111", headers=headers)).get_json()
    listed = await (await client.get("/numbers?state=online", headers=headers)).get_json()

    assert body["error"] == "not_found"
    assert listed["numbers"][0]["last_error"]["message"].startswith(begins)
    assert listed["numbers"][0]["last_error"]["message"].endswith("(401)")


async def test_metrics_tell_of_dead_letters(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """Prometheus gets the dead letters each way, and the state of each number."""
    fill(gateway)

    text = await (await client.get("/metrics", headers=bearer(ADMIN_KEY))).get_data(as_text=True)

    assert 'telefix_dead_letters{direction="in",number="4"} 3.0' in text
    assert 'telefix_number_state{client="Vesna",number="3",state="reconnecting"} 1.0' in text
