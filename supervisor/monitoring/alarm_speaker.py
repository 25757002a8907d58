"""Which node tells of what all nodes have decided to tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from supervisor.monitoring.alarm_rules import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supervisor.monitoring.alarm_rules import Alarm
    from supervisor.nodes.node import Node
    from supervisor.store.history import AlarmRows

MARGIN = 30.0  # seconds that a node may need to notice that it is the first now
LOOKED_AT = 200  # alarms


class Held(NamedTuple):
    """An alarm that another node should tell."""

    alarm: Alarm
    since: float


class AlarmSpeaker:
    """Lets the first node tell; the others keep what it may not have told yet, should it die.

    Every node hears of every change and decides the same. Only of dead letters a node hears alone.
    """

    def __init__(self, node: Node | None, stored: AlarmRows) -> None:
        self._node = node
        self._stored = stored
        self._held: list[Held] = []
        self._was_first = False

    async def select(self, alarms: Sequence[Alarm], now: float) -> list[Alarm]:
        """Return what this node has to tell now."""
        if self._node is None:
            return list(alarms)
        own = [each for each in alarms if each.kind is Kind.DEAD]
        self._held += [Held(each, now) for each in alarms if each.kind is not Kind.DEAD]
        if not self._node.is_first:
            self._was_first = False
            limit = now - self._node.lease.takeover - MARGIN
            self._held = [each for each in self._held if each.since > limit]
            return own
        due = self._held
        if due and not self._was_first:
            told = await self._told()
            due = [each for each in due if _signature(each.alarm) not in told]
        self._held, self._was_first = [], True
        return [*own, *(each.alarm for each in due)]

    async def _told(self) -> frozenset[str]:
        """Return what was told lately, by whichever node."""
        stored = await self._stored.list(LOOKED_AT)
        return frozenset(_signature_of(json.loads(each.body)) for each in stored)


def _signature(alarm: Alarm) -> str:
    return _signature_of(
        {
            "type": alarm.kind,
            "numbers": alarm.numbers,
            "client": alarm.client,
            "state": alarm.state,
            "cause": alarm.cause,
        }
    )


def _signature_of(body: dict[str, object]) -> str:
    said = [body[name] for name in ("type", "numbers", "client", "state", "cause")]
    return json.dumps(said)
