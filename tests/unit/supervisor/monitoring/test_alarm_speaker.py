"""Of all nodes one tells, and another one if that has died."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from supervisor.monitoring.alarm_client import MARGIN, AlarmSpeaker
from supervisor.monitoring.alarm_rules import Alarm, Kind
from supervisor.nodes.lease import NodeLease
from supervisor.numbers.state import State
from supervisor.store.history import AlarmRows, StoredAlarm, moment

if TYPE_CHECKING:
    from supervisor.nodes.node import Node

TAKEOVER = 15.0
SINGLE = Alarm(Kind.STATE, 5.0, ("380501",), "Acme", State.ONLINE, None)
SHARED = Alarm(Kind.FLEET, 6.0, ("380501", "380502", "380503"), None, None, "unreachable")
DEAD = Alarm(Kind.DEAD, 6.0, ("380501",), "Acme", None, "blocked", 2)


class NodeThatMayBeFirst:
    """As much of a node as matters here."""

    def __init__(self) -> None:
        self.is_first = False
        self.lease = NodeLease(12.0, TAKEOVER)


class Told(AlarmRows):
    """The alarms that were told by whichever node."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def list(self, limit: int) -> tuple[StoredAlarm, ...]:
        return tuple(
            StoredAlarm("msg_1", moment(5.0), json.dumps(body), "delivered", 1, None, None)
            for body in self.bodies[:limit]
        )


def speaker(node: NodeThatMayBeFirst | None, told: Told | None = None) -> AlarmSpeaker:
    return AlarmSpeaker(cast("Node | None", node), told or Told())


async def test_single_gateway_tells_everything() -> None:
    """A gateway that is alone tells whatever it decides."""
    assert await speaker(None).select([SINGLE, DEAD], 10.0) == [SINGLE, DEAD]


async def test_first_node_tells_and_others_do_not() -> None:
    """What all have decided is told by the first; a dead letter by the node that knows of it."""
    first, second = NodeThatMayBeFirst(), NodeThatMayBeFirst()
    first.is_first = True

    assert await speaker(first).select([SINGLE, SHARED], 10.0) == [SINGLE, SHARED]
    assert await speaker(second).select([SINGLE, SHARED, DEAD], 10.0) == [DEAD]


async def test_next_node_tells_what_a_dead_one_did_not() -> None:
    """Who becomes the first tells what was not told in the meantime, and nothing again."""
    node, told = NodeThatMayBeFirst(), Told()
    says = speaker(node, told)
    assert await says.select([SINGLE, SHARED], 10.0) == []
    told.bodies.append(
        {
            "type": "number.state",
            "numbers": ["380501"],
            "client": "Acme",
            "state": "online",
            "cause": None,
        }
    )

    node.is_first = True

    assert await says.select([], 10.0 + TAKEOVER) == [SHARED]
    assert await says.select([], 11.0 + TAKEOVER) == []


async def test_what_was_told_long_ago_is_forgotten() -> None:
    """A node that stays second keeps nothing for longer than a takeover lasts."""
    node = NodeThatMayBeFirst()
    says = speaker(node)
    await says.select([SHARED], 10.0)
    await says.select([], 11.0 + TAKEOVER + MARGIN)

    node.is_first = True

    assert await says.select([], 12.0 + TAKEOVER + MARGIN) == []
