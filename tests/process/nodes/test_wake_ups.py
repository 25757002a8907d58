"""Whoever stores something for another node's number wakes that node for just this."""

from __future__ import annotations

import base64
import os
from contextlib import AsyncExitStack

from supervisor.database.coordination import Coordination
from supervisor.nodes.lease import NodeLease
from supervisor.nodes.node import Node
from supervisor.nodes.runner import NOTIFICATIONS
from supervisor.store.store import Store
from tests.process.nodes.test_joining import TTL, Nothing
from tests.support.waiting import eventually

OWN, OTHER = "380500000001", "380500000002"


class Woken(Nothing):
    """Notes for what it is woken."""

    def __init__(self, *numbers: str) -> None:
        self._numbers = numbers
        self.heard: list[tuple[str, bool]] = []

    def kept(self) -> tuple[str, ...]:
        return self._numbers

    def wake(self, number: str, *, are_notifications: bool) -> None:
        self.heard.append((number, are_notifications))


async def test_owner_is_woken_for_what_is_there(postgres_url: str) -> None:
    """A message makes nobody look for notifications, neither here nor on another node."""
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    here, there = Woken(OWN), Woken(OTHER)
    async with Store(postgres_url, key) as store, AsyncExitStack() as stack:
        nodes = []
        for name, runner in (("here", here), ("there", there)):
            coordination = Coordination(store.database.url, TTL / 3)
            node = Node(store, coordination, f"http://{name}", NodeLease(TTL, 2 * TTL), runner)
            stack.push_async_callback(node.stop)
            stack.push_async_callback(node.halt)
            await node.start()
            nodes.append(node)

        async def is_heard() -> bool:
            for number in (OWN, OTHER):  # until the other one listens
                nodes[0].wake_owner(number)
                nodes[0].wake_owner(number, NOTIFICATIONS)
            return {*there.heard} == {(OTHER, False), (OTHER, True)}

        await eventually(is_heard)
    assert {*here.heard} == {(OWN, False), (OWN, True)}
    assert here.heard[:2] == [(OWN, False), (OWN, True)]
