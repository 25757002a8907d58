"""The data centre: what it keeps, where it listens, what tests may do to it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from telethon.sessions import StringSession

from sandbox.telegram import methods
from sandbox.telegram.accounts import password_srp
from sandbox.telegram.accounts.accounts import Account, Accounts
from sandbox.telegram.accounts.exports import Exports
from sandbox.telegram.accounts.logins import Logins
from sandbox.telegram.addresses import HOME_DC, Addresses
from sandbox.telegram.chats.channel_actions import Channels
from sandbox.telegram.chats.group_actions import BasicGroups
from sandbox.telegram.chats.message_actions import PostOffice
from sandbox.telegram.chats.update_push import Courier
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Condition, Faults, Kind, method_fault
from sandbox.telegram.files.files import Files
from sandbox.telegram.files.media_intake import Intake
from sandbox.telegram.protocol.client_keys import Keyring
from sandbox.telegram.protocol.connection import Connection
from sandbox.telegram.protocol.server_key import ServerKey
from sandbox.telegram.running_requests import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)
methods.load()


@dataclass(frozen=True, slots=True)
class ConnectionCount:
    """How an account's clients are connected."""

    open: int
    peak_per_key: int
    logins: int


class DataCentre:
    """A data centre in memory, with another beside it that keeps only files."""

    def __init__(
        self,
        announce_code: Callable[[str], None] | None = None,
        *,
        server_key: ServerKey | None = None,
        dc_id: int = HOME_DC,
    ) -> None:
        self.dc_id = dc_id
        self.host = "127.0.0.1"
        self.port = 0
        self.announce_code = announce_code or _log_code
        self.server_key = server_key or ServerKey()
        self.connections: set[Connection] = set()
        self.tasks = Tasks()
        self.files = Files(self.time)
        self.intake = Intake(self.files, dc_id)
        self.addresses = Addresses(dc_id)
        self._begin()

    def _begin(self) -> None:
        self.accounts = Accounts()
        self._keys = {each: Keyring() for each in self.addresses.dc_ids}
        self.exports = Exports(self.time)
        self.faults = Faults()
        self.logins = Logins(self.time)
        self.courier = Courier(self.accounts, self.keys, self.faults, self.time)
        self.post_office = PostOffice(self.accounts, self.courier)
        self.groups = BasicGroups(self.accounts, self.post_office)
        self.channels = Channels(self.accounts, self.courier)

    @property
    def keys(self) -> Keyring:
        """The keys of the account's own data centre."""
        return self._keys[self.dc_id]

    def keys_at(self, dc_id: int) -> Keyring:
        return self._keys[dc_id]

    @property
    def public_key_pem(self) -> str:
        return self.server_key.public_pem

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self.host, self.port = await self.addresses.open(partial(Connection, self), host, port)
        except OSError:
            await self.addresses.close()
            raise
        await self.files.open()

    async def stop(self) -> None:
        """Close every port and every connection."""
        if not self.addresses.is_open:
            return
        self.addresses.refuse_new()
        closing = [connection.closed.wait() for connection in self.connections]
        self.cut()
        await self.tasks.stop()
        await asyncio.gather(*closing)
        await self.addresses.close()
        await self.files.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def time(self) -> float:
        """Read the clock that faults and codes expire by."""
        return asyncio.get_running_loop().time()

    def add_account(
        self,
        phone: str,
        first_name: str,
        last_name: str = "",
        *,
        username: str | None = None,
        password: str | None = None,
        bot: bool = False,
    ) -> Account:
        """Make an account; raise RpcError when its phone or username is taken or wrong."""
        if username and self.accounts.find_by_username(username):
            raise RpcError("USERNAME_OCCUPIED")
        account = self.accounts.add(phone, first_name, last_name, bot=bot)
        self.accounts.rename(account, username)
        account.password = password_srp.make_password(password) if password else None
        return account

    def account_of(self, phone: str) -> Account:
        account = self.accounts.find_by_phone(phone)
        if account is None:
            raise RpcError("PHONE_NUMBER_UNOCCUPIED")
        return account

    def session_string_for(self, phone: str) -> str:
        """Make a Telethon StringSession that is logged in to an account."""
        key = self.keys.make()
        self.keys.sign_in(key, self.account_of(phone))
        session = StringSession()
        session.set_dc(self.dc_id, self.host, self.port)
        session.auth_key = key.auth
        return str(session.save())

    def count_connections(self, phone: str) -> ConnectionCount:
        account = self.account_of(phone)
        connected = sum(len(key.connections) for key in self.keys.of_account(account))
        return ConnectionCount(connected, account.peak_per_key, account.logins)

    def fail(
        self,
        error: str,
        *,
        phone: str | None = None,
        method: str | None = None,
        times: int | None = None,
    ) -> None:
        """Answer a method with an RPC error, until so many times or the faults end."""
        self.faults.fail(method_fault(error, phone, method), times)

    def answer_newer(
        self, method: str | None = None, *, phone: str | None = None, times: int | None = None
    ) -> None:
        """Carry a method out, then answer with an object that no client can read."""
        self.faults.fail(method_fault(None, phone, method), times)

    def afflict(
        self,
        kind: Kind,
        phone: str | None = None,
        seconds: float | None = None,
        *,
        dc_id: int | None = None,
    ) -> None:
        """Begin a fault for one account, or for all; a line may suffer at one data centre only."""
        condition = Condition.make(kind, phone, seconds, self.time(), dc_id)
        if condition.lasts:
            self.faults.add(condition)
        if kind is Kind.CUT:
            self.cut(condition.phone, dc_id)
        elif act := _ACTS.get(kind):
            act(self, condition.phone)

    def clear_faults(self) -> None:
        self.faults.clear()

    def cut(self, phone: str | None = None, dc_id: int | None = None) -> None:
        """Break the connections of one account, or all there are, or those to one data centre."""
        for connection in list(self.connections):
            owner = connection.key.phone if connection.key else None
            if phone in (None, owner) and dc_id in (None, connection.address.dc_id):
                connection.abort()

    def revoke(self, phone: str | None = None) -> None:
        """End every login of one account, or of all; connections stay open, as at Telegram."""
        for account in self._named(phone):
            for key in self.keys.of_account(account):
                self.keys.sign_out(key)

    def burn_keys(self, phone: str | None = None) -> None:
        """Make every key of an account, or all keys, useless for good."""
        for account in self._named(phone):
            for key in self.keys.of_account(account):
                key.refusal = "AUTH_KEY_DUPLICATED"

    def forget_events(self, phone: str | None = None) -> None:
        """Answer differenceTooLong to whoever is behind by now."""
        for account in self._named(phone):
            account.log.forget()

    def expire_file_references(self, phone: str | None = None) -> None:
        """Make all references handed out so far useless; who fetches a message gets a new one."""
        for account in self._named(phone):
            account.reference_epoch += 1

    def reset(self) -> None:
        """Forget everything but the ports and the RSA key."""
        self.cut()
        self.files.forget()
        self._begin()

    def _named(self, phone: str | None) -> list[Account]:
        return list(self.accounts) if phone is None else [self.account_of(phone)]


_ACTS: dict[Kind, Callable[[DataCentre, str | None], None]] = {
    Kind.REVOKE: DataCentre.revoke,
    Kind.DUPLICATE: DataCentre.burn_keys,
    Kind.TOO_LONG: DataCentre.forget_events,
    Kind.EXPIRED_REFERENCES: DataCentre.expire_file_references,
}


def _log_code(code: str) -> None:
    logger.info("login code %s", code)
