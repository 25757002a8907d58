"""What SANDBOX=1 finds from an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from api.demo import forget_bots, require_free
from tests.fakes.bots import FakeBots
from tests.fakes.gateway import FakeGateway, view

if TYPE_CHECKING:
    from supervisor.store.values import Bot

KNOWN = "7000001:AAknown"


class BotsOfTwoRuns(FakeBots):
    """Knows the token of one of its bots."""

    async def find_by_token(self, token: str) -> Bot | None:
        return await self.get("7000001") if token == KNOWN else None


@pytest.mark.parametrize("port", ["abc", "", "0", "-1", "65535", "70000", "9" * 5000, "٣"])
def test_port_that_cannot_be_is_one_sentence(port: str) -> None:
    """`make run` says in a sentence what PORT may be, whatever was typed."""
    with pytest.raises(SystemExit, match="PORT must be a number from 1 to 65534"):
        require_free(port)


async def test_bots_of_an_earlier_run_are_erased() -> None:
    """The sandbox keeps nothing between runs, and a new bot may get the id of an old one."""
    gateway = FakeGateway()
    gateway.bots = BotsOfTwoRuns(gateway)
    for bot in ("7000001", "7000002"):
        gateway.views[bot] = view(bot, "Shop")
        gateway.tokens.of[bot] = "key"
    accounts = [{"bot": True, "bot_token": KNOWN}, {"bot": False}]
    answering = httpx.MockTransport(lambda _: httpx.Response(200, json=accounts))

    async with httpx.AsyncClient(base_url="http://sandbox", transport=answering) as control:
        await forget_bots(gateway, control)

    assert gateway.views.keys() == {"7000001"}
