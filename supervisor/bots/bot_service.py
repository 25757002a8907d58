"""The life of bots: registering, showing, restarting; stopping is the same as for a number."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from session_worker.protocol.login import LoginByToken
from supervisor.bots.chat import BotChat
from supervisor.bots.registration import RegistrationService
from supervisor.bots.requests import BotRequests
from supervisor.bots.uploads import Uploads
from supervisor.errors import GatewayError, NumberUnknown, TokenMalformed
from supervisor.numbers.login_dialog import SIGN_IN, OneOffSession

if TYPE_CHECKING:
    from supervisor.config import Config
    from supervisor.notifications.notification_service import NotificationService
    from supervisor.numbers.keepers import Keepers
    from supervisor.numbers.token_cache import TokenCache
    from supervisor.numbers.worker_events import Listener
    from supervisor.store.people import Person
    from supervisor.store.store import Store
    from supervisor.store.values import Bot, NewNumber

logger = logging.getLogger(__name__)


class BotService:
    """The bots, which are numbers with another way to log in."""

    def __init__(
        self,
        store: Store,
        keepers: Keepers,
        tokens: TokenCache,
        notifications: NotificationService,
        config: Config,
    ) -> None:
        self._store = store
        self._keepers = keepers
        self._tokens = tokens
        self._notifications = notifications
        self.people = store.people
        self.requests = BotRequests(keepers)
        self.uploads = Uploads(config, keepers.dispatchers.files)
        keepers.listening.listen(
            RegistrationService(
                store, keepers.dispatchers, self.requests, notifications.wait_handed_over
            )
        )

    def listen(self, listener: Listener) -> None:
        """Let this listener react to what bots hear, before registration does."""
        self._keepers.listening.listen(listener)

    def chat_of(self, bot: str, language: str) -> BotChat:
        """Return a bot as a chat partner; its listener answers everything that the bot hears."""
        chat = BotChat(
            bot, language, self._keepers, self.requests, self.people, self._notifications
        )
        self.listen(chat)
        return chat

    async def create(self, new: NewNumber, who: str) -> str:
        """Register a bot, log it in and start it; return its key, which is shown only once.

        Nothing is left of a new bot that Telegram refuses.
        """
        bot, details = new.number, new.bot
        if details is None:
            raise TokenMalformed
        is_known = await self._is_known(bot)
        async with self._keepers.claimed(bot):
            created = await self._store.numbers.create(new)
            self._tokens.forget(bot)
            try:
                await self._log_in(bot, details.token, who)
            except GatewayError:
                await self._undo(bot, is_known=is_known)
                raise
        return created.token

    async def get(self, bot: str) -> Bot:
        """Return a bot; raise NumberUnknown if there is none with this id."""
        return await self._store.bots.get(bot)

    async def list(self) -> dict[str, Bot]:
        """Return all bots by their ids."""
        return await self._store.bots.list()

    async def find_by_token(self, token: str) -> Bot | None:
        """Return the bot that has this token at Telegram."""
        return await self._store.bots.find_by_token(token)

    async def list_people(self, bot: str) -> tuple[Person, ...]:
        """Return who has registered with a bot; raise NumberUnknown if there is none with this id."""
        await self._store.bots.get(bot)
        return await self._store.people.list(bot)

    async def restart(self, bot: str, who: str) -> None:
        """Stop and start a bot; one whose login is lost is logged in again with its token."""
        secrets = await self._store.bots.secrets(bot)
        async with self._keepers.claimed(bot):
            await self._store.numbers.start(bot)
            await self._store.journals.hasten(bot)
            if await self._store.sessions.load(bot) is None:
                await self._log_in(bot, secrets.token, who)
            else:
                await self._keepers.start(bot)

    async def _log_in(self, bot: str, token: str, who: str) -> None:
        keeper = self._keepers.keeper_of(bot)
        await keeper.stop()
        keeper.login.who = who
        request_id = keeper.login.open()
        opening = LoginByToken(request_id=request_id, token=token)
        await self._keepers.start(bot, OneOffSession(SIGN_IN, opening))
        await keeper.login.wait(request_id)

    async def _is_known(self, bot: str) -> bool:
        try:
            await self._store.numbers.get(bot)
        except NumberUnknown:
            return False
        return True

    async def _undo(self, bot: str, *, is_known: bool) -> None:
        await self._keepers.stop(bot)
        if is_known:
            await self._store.numbers.stop(bot)
            return
        await self._store.numbers.purge(bot)
        self._keepers.forget(bot)


def bot_of(token: str) -> str:
    """Return the id of the bot whose token this is; raise TokenMalformed if it is not a bot's."""
    bot, colon, secret = token.partition(":")
    if not (colon and secret and bot.isascii() and bot.isdecimal() and 5 <= len(bot) <= 15):
        raise TokenMalformed
    return bot.lstrip("0") or bot
