"""The last hour and the log of a number over HTTP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from session_worker.protocol.contract import LogLine
from supervisor.database.tables import Direction
from tests.unit.api.calls import ADMIN_KEY, NUMBER, bearer, start

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway

OTHER = "380500000099"


async def read(client: TestClientProtocol, path: str, key: str = ADMIN_KEY) -> Any:
    response = await client.get(path, headers=bearer(key))
    assert response.status_code == 200, await response.get_data(as_text=True)
    return await response.get_json()


def added_up(minutes: list[dict[str, Any]], name: str) -> float:
    return sum(minute[name] or 0 for minute in minutes)


async def test_last_hour_is_shown(client: TestClientProtocol, gateway: FakeGateway) -> None:
    """A number's own token shows its hour; all hours together need the admin key."""
    token = await start(client)
    now = time.time()
    for number, direction in ((NUMBER, Direction.IN), (OTHER, Direction.OUT)):
        gateway.monitor.hours[number].count(now, direction, 1.5)

    [own, every] = [
        await read(client, f"/numbers/{NUMBER}/traffic", token),
        await read(client, "/traffic"),
    ]

    assert len(own["minutes"]) == len(every["minutes"]) == 60
    assert (added_up(own["minutes"], "in"), added_up(own["minutes"], "out")) == (1, 0)
    assert added_up(own["minutes"], "delay_in") == 1.5
    assert (added_up(every["minutes"], "in"), added_up(every["minutes"], "out")) == (1, 1)
    counts = {each["number"]: sum(each["counts"]) for each in every["numbers"]}
    assert counts == {NUMBER: 1, OTHER: 1}
    assert (await client.get("/traffic", headers=bearer(token))).status_code == 401


async def test_only_the_operator_reads_a_log(
    client: TestClientProtocol, gateway: FakeGateway
) -> None:
    """The log may name what is not the client's business, so its token does not open it."""
    token = await start(client)
    gateway.log_of(NUMBER).add([LogLine(at=1.0, level="INFO", text=text) for text in ("a", "b")])
    path = f"/numbers/{NUMBER}/log"

    lines = (await read(client, path))["lines"]
    newer = (await read(client, f"{path}?after={lines[0]['id']}"))["lines"]

    assert [(each["level"], each["text"]) for each in lines] == [("INFO", "a"), ("INFO", "b")]
    assert newer == lines[1:]
    assert (await client.get(path, headers=bearer(token))).status_code == 401
    unknown = await client.get("/numbers/380500000077/log", headers=bearer(ADMIN_KEY))
    assert unknown.status_code == 404
