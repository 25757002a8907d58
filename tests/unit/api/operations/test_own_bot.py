"""A bot whose token is a setting is there when the gateway is ready, unless that takes too long."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from api.bots.own_bot import CLIENT, LONGEST, start_bot
from supervisor.errors import TelegramUnreachable
from supervisor.gateway import Gateway
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from supervisor.store.values import NewNumber
    from tests.support.clock import AutojumpClock

TOKEN = "1234567:AAbotfather"


class Bots:
    """Bots that log in when they are let in, or fail again and again."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.may_log_in = asyncio.Event()
        self.failure = failure
        self.created = 0

    async def find_by_token(self, token: str) -> None:
        assert token == TOKEN

    async def create(self, new: NewNumber, who: str) -> str:
        await self.may_log_in.wait()
        if self.failure is not None:
            raise self.failure
        self.created += 1
        return f"key of {new.number}, made by {who}"


def gateway_with(bots: Bots) -> Gateway:
    async def wait_settled(number: str, seconds: float) -> None:
        assert (number, seconds) == ("1234567", LONGEST)

    made: Any = SimpleNamespace(
        bots=bots,
        takeover=SimpleNamespace(require=lambda: None),
        wait_settled=wait_settled,
        starting=Gateway.starting,
    )
    return cast("Gateway", made)


async def test_gateway_waits_for_its_bot(autojump_clock: AutojumpClock) -> None:
    """It is not ready before: nobody's first message would be heard."""
    bots = Bots()
    gateway = gateway_with(bots)
    async with start_bot(TOKEN, CLIENT, "en", gateway):
        assert gateway.starting == {CLIENT}
        bots.may_log_in.set()
        await eventually(lambda: not gateway.starting, awaited="the bot")
        assert bots.created == 1


@pytest.mark.parametrize("answers", [False, True])
async def test_gateway_does_not_wait_for_ever(
    autojump_clock: AutojumpClock, *, answers: bool
) -> None:
    """Without Telegram the gateway still takes what Planfix sends."""
    bots = Bots(TelegramUnreachable())
    gateway = gateway_with(bots)
    if answers:
        bots.may_log_in.set()
    async with start_bot(TOKEN, CLIENT, "en", gateway):
        await eventually(lambda: not gateway.starting, awaited="the end of the waiting")
        assert bots.created == 0


async def test_bot_that_nobody_waits_for(autojump_clock: AutojumpClock) -> None:
    """The demo begins when the gateway is ready, and it stays ready."""
    gateway = gateway_with(Bots())
    async with start_bot(TOKEN, CLIENT, "en", gateway, is_awaited=False):
        assert gateway.starting == frozenset()
