"""The key that nodes show each other opens nothing to those who guess it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from api.nodes.forwarding import EPOCH, KEY, NUMBER, open_forwarding
from tests.unit.api.calls import ADMIN_KEY, bearer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from quart.typing import TestClientProtocol

    from api.settings import Settings

pytestmark = pytest.mark.usefixtures("autojump_clock")


class NoOwners:
    """What the database says of a number that no node runs."""

    async def find(self, _number: str) -> Any:
        return SimpleNamespace(owner=None)


@pytest.fixture
async def node(client: TestClientProtocol, settings: Settings) -> AsyncIterator[TestClientProtocol]:
    alone: Any = SimpleNamespace(incarnation="first", nodes=NoOwners())
    async with open_forwarding(client.app, settings, alone):
        yield client


async def call(node: TestClientProtocol, key: str, token: str = ADMIN_KEY) -> int:
    """Ask as a node does that believes in the wrong owner."""
    headers = {KEY: key, EPOCH: "1", NUMBER: "380501112233", **bearer(token)}
    return (await node.get("/numbers/380501112233", headers=headers)).status_code


async def guess(node: TestClientProtocol, count: int) -> set[int]:
    return {await call(node, f"guess {index}") for index in range(count)}


async def test_guesses_of_the_key_are_limited(node: TestClientProtocol, settings: Settings) -> None:
    """A hundred wrong keys are ignored, then the address must wait, whatever else it shows."""
    assert await guess(node, 100) == {404}
    assert await call(node, "guess 99") == 404, "a key that was wrong before is no guess"
    assert await call(node, "another") == 429
    assert (await node.get("/numbers", headers=bearer("wrong"))).status_code == 429

    headers = {KEY: settings.cluster_keys[0], **bearer(ADMIN_KEY)}
    assert (await node.get("/numbers", headers=headers)).status_code == 200
    assert (await node.get("/numbers", headers=bearer(ADMIN_KEY))).status_code == 200
    assert await call(node, settings.cluster_keys[0]) == 409


async def test_node_with_an_old_key_is_not_taken_for_a_guesser(node: TestClientProtocol) -> None:
    """While the key is changed on one node after the other, the others show the old one all the time."""
    answers = {await call(node, "the old key") for _ in range(300)}

    assert answers == {404}


async def test_one_gateway_looks_at_no_such_key(client: TestClientProtocol) -> None:
    """Where there are no other nodes, nothing can be found out, and the header counts for nothing."""
    assert await guess(client, 150) == {404}
