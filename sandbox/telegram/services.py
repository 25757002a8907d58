"""The services of the data centre that the handlers of requests work with."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sandbox.telegram.accounts.accounts import Accounts
from sandbox.telegram.addresses import HOME_DC, Addresses
from sandbox.telegram.chats.bot_actions import Bots
from sandbox.telegram.chats.channel_actions import Channels
from sandbox.telegram.chats.group_actions import BasicGroups
from sandbox.telegram.chats.message_actions import MessageActions
from sandbox.telegram.chats.update_push import UpdatePush
from sandbox.telegram.faults import Faults
from sandbox.telegram.files.files import Files
from sandbox.telegram.files.media_intake import Intake
from sandbox.telegram.logins.exports import Exports
from sandbox.telegram.logins.logins import Logins
from sandbox.telegram.protocol.client_keys import Keyring
from sandbox.telegram.running_requests import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class Services:
    """Everything the data centre keeps and does, apart from its ports and connections."""

    def __init__(self, announce_code: Callable[[str], None] | None, dc_id: int = HOME_DC) -> None:
        self.dc_id = dc_id
        self.announce_code = announce_code or _log_code
        self.tasks = Tasks()
        self.files = Files(self.time)
        self.intake = Intake(self.files, dc_id)
        self.addresses = Addresses(dc_id)
        self.begin()

    def begin(self) -> None:
        """Start with no account, no key and no fault."""
        self.accounts = Accounts()
        self._keys = {each: Keyring() for each in self.addresses.dc_ids}
        self.exports = Exports(self.time)
        self.faults = Faults()
        self.logins = Logins(self.time)
        self.update_push = UpdatePush(self.accounts, self.keys, self.faults, self.time)
        self.message_actions = MessageActions(self.accounts, self.update_push)
        self.groups = BasicGroups(self.accounts, self.message_actions)
        self.channels = Channels(self.accounts, self.update_push)
        self.bots = Bots(self.accounts, self.update_push, self.message_actions)

    @property
    def keys(self) -> Keyring:
        """The keys of the account's own data centre."""
        return self._keys[self.dc_id]

    def keys_at(self, dc_id: int) -> Keyring:
        return self._keys[dc_id]

    def time(self) -> float:
        """Read the clock by which faults and codes expire."""
        return asyncio.get_running_loop().time()


def _log_code(code: str) -> None:
    logger.info("login code %s", code)
