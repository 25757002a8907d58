"""TeamFlame's part of the gateway: the service, the accounts and what is stored, in one place."""

from __future__ import annotations

import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from supervisor.errors import DatabaseError
from teamflame.accounts.accounts import Accounts
from teamflame.accounts.proof import ShortTokens, verify_launch
from teamflame.errors import TeamFlameError, Unavailable
from teamflame.service.service import Service
from teamflame.store.accounts import AccountStore
from teamflame.store.choices import Choices
from teamflame.store.dialogs import Dialogs
from teamflame.store.own_actions import OwnActions
from teamflame.store.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault
    from teamflame.accounts.proof import Caller
    from teamflame.service.client import ServiceConfig
    from teamflame.service.values import Person
    from teamflame.store.own_actions import Change

T = TypeVar("T")
Given = ParamSpec("Given")

logger = logging.getLogger(__name__)

_PEOPLE_LIFETIME = 60.0  # seconds
_FORGET = 600.0  # seconds after which it does not matter any more who looked at a board


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
        self.dialogs = Dialogs(database)
        self.snapshots = Snapshots(database)
        self.accounts = Accounts(self.account_store, self.service.auth)
        self.own_actions = OwnActions(database)
        self._opened: dict[str, float] = {}
        self._people: dict[tuple[str, str], tuple[float, tuple[Person, ...]]] = {}
        self._tokens = ShortTokens(keys)

    async def stop(self) -> None:
        await self.accounts.stop()
        await self.service.close()

    def app_url(self, start: str) -> str:
        """Return where the Mini App opens, at a card if there is a start."""
        return f"{self.config.app_url}?startapp={start}" if start else self.config.app_url

    def record_look(self, board_id: str) -> None:
        """Record that somebody is looking at this board now."""
        now = time.monotonic()
        self._opened = {key: at for key, at in self._opened.items() if at + _FORGET > now}
        self._opened[board_id] = now

    def is_open(self, board_id: str, seconds: float) -> bool:
        """Whether somebody has looked at this board in the last ``seconds``."""
        at = self._opened.get(board_id)
        return at is not None and time.monotonic() < at + seconds

    async def people_of(self, caller: Caller, space: str) -> tuple[Person, ...]:
        """List who may be assigned in a space; an open board asks often, and they rarely change."""
        account, now = await self.accounts.require(caller), time.monotonic()
        self._people = {key: known for key, known in self._people.items() if known[0] > now}
        key = (account.id, space)
        if key not in self._people:
            found = await self.accounts.call(account.id, self.service.users.of_space, space)
            self._people[key] = (now + _PEOPLE_LIFETIME, found)
        return self._people[key][1]

    @asynccontextmanager
    async def own(self, caller: Caller, *changes: Change) -> AsyncIterator[None]:
        """Note that the caller makes these changes, so that they are not notified of them."""
        account = await self.accounts.require(caller)
        await self.own_actions.add(account.id, changes)
        try:
            yield
        except Unavailable:
            raise  # the changes may have been made all the same
        except TeamFlameError:
            await self.own_actions.remove(account.id, changes)
            raise

    async def remember_own(self, caller: Caller, *changes: Change) -> None:
        """Note changes after they were made, because the id of a new task comes with the answer.

        A failure is only logged: a caller who got an error would make the changes once more.
        """
        try:
            account = await self.accounts.require(caller)
            await self.own_actions.add(account.id, changes)
        except DatabaseError as exc:
            logger.warning("somebody is notified of what they did themselves: %s", exc)

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
