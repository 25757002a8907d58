"""Bots in memory: every number of the fake gateway counts as one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from supervisor.bots.bot_service import BotService
from supervisor.errors import NumberExists, NumberUnknown
from supervisor.store.people import Person
from supervisor.store.values import Bot

if TYPE_CHECKING:
    from supervisor.store.values import NewNumber
    from tests.fakes.gateway import FakeGateway


class FakeBots(BotService):
    """Answers as the service does, without processes."""

    def __init__(self, gateway: FakeGateway) -> None:
        self._gateway = gateway

    async def create(self, new: NewNumber, who: str) -> str:
        if new.number in self._gateway.views:
            raise NumberExists
        await self._gateway.create(new)
        key = self._gateway.tokens.of[new.number] = secrets.token_urlsafe(32)
        return key

    async def get(self, bot: str) -> Bot:
        if bot not in self._gateway.views:
            raise NumberUnknown
        return Bot(bot, "shop_bot", "en")

    async def list(self) -> dict[str, Bot]:
        return {bot: await self.get(bot) for bot in self._gateway.views}

    async def find_by_token(self, token: str) -> Bot | None:
        return None

    async def list_people(self, bot: str) -> tuple[Person, ...]:
        await self.get(bot)
        return (Person(7, "Anna", "en", phone="380671234567"),)

    async def restart(self, bot: str, who: str) -> None:
        await self.get(bot)
