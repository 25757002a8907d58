"""TeamFlame's part of the gateway: the service, the accounts and what is stored, in one place."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from teamflame.accounts.accounts import Accounts
from teamflame.accounts.proof import ShortTokens, verify_launch
from teamflame.service.service import Service
from teamflame.store.accounts import AccountStore
from teamflame.store.choices import Choices

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault
    from teamflame.accounts.proof import Caller
    from teamflame.service.client import ServiceConfig

T = TypeVar("T")
Given = ParamSpec("Given")


@dataclass(frozen=True, slots=True)
class TeamFlameConfig:
    """The operator's settings of the TeamFlame bot."""

    bot_token: str
    service: ServiceConfig
    app_url: str
    language: str = "ru"
    frame_origins: tuple[str, ...] = ()


class TeamFlame:
    """What the bot, the Mini App's calls and the watching of boards share."""

    def __init__(
        self, config: TeamFlameConfig, database: Database, vault: Vault, keys: Sequence[bytes]
    ) -> None:
        self.config = config
        self.service = Service(config.service)
        self.account_store = AccountStore(database, vault)
        self.choices = Choices(database)
        self.accounts = Accounts(self.account_store, self.service.auth)
        self._tokens = ShortTokens(keys)

    async def stop(self) -> None:
        await self.service.close()

    def verify_launch(self, raw: str) -> Caller:
        return verify_launch(raw, self.config.bot_token, time.time())

    def verify_token(self, token: str) -> Caller:
        return self._tokens.verify(token, time.time())

    def make_token(self, caller: Caller) -> tuple[str, int]:
        return self._tokens.make(caller, time.time())

    async def call(
        self,
        caller: Caller,
        method: Callable[Concatenate[str, Given], Awaitable[T]],
        *args: Given.args,
        **kwargs: Given.kwargs,
    ) -> T:
        """Call the service in the name of the caller."""
        account = await self.accounts.require(caller)
        return await self.accounts.call(account.id, method, *args, **kwargs)
