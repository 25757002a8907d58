"""The data centre: its ports and connections, and the faults that tests can give it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from telethon.sessions import StringSession

from sandbox.telegram import methods, rpc
from sandbox.telegram.accounts import password_srp
from sandbox.telegram.addresses import HOME_DC
from sandbox.telegram.errors import RpcError
from sandbox.telegram.faults import Condition, Kind, method_fault
from sandbox.telegram.protocol.connection import Connection, Endpoint
from sandbox.telegram.protocol.server_key import ServerKey
from sandbox.telegram.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.telegram.accounts.accounts import Account
    from sandbox.telegram.addresses import Address
    from sandbox.telegram.protocol.client_session import Session

methods.load()


@dataclass(frozen=True, slots=True)
class ConnectionCount:
    """Numbers about the connections of an account's clients."""

    open: int
    peak_per_key: int
    logins: int


class DataCentre(Services):
    """A data centre in memory, and a second one that serves only files."""

    def __init__(
        self,
        announce_code: Callable[[str], None] | None = None,
        *,
        server_key: ServerKey | None = None,
        dc_id: int = HOME_DC,
    ) -> None:
        super().__init__(announce_code, dc_id)
        self.host = "127.0.0.1"
        self.port = 0
        self.server_key = server_key or ServerKey()
        self.connections: set[Connection] = set()

    @property
    def public_key_pem(self) -> str:
        return self.server_key.public_pem

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        try:
            self.host, self.port = await self.addresses.open(self._accept, host, port)
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

    def add_account(
        self,
        phone: str,
        first_name: str,
        last_name: str = "",
        *,
        username: str | None = None,
        password: str | None = None,
    ) -> Account:
        """Make an account; raise RpcError if its phone or username is taken or invalid."""
        if username and self.accounts.find_by_username(username):
            raise RpcError("USERNAME_OCCUPIED")
        account = self.accounts.add(phone, first_name, last_name)
        self.accounts.rename(account, username)
        account.password = password_srp.make_password(password) if password else None
        return account

    def account_of(self, phone: str) -> Account:
        """Return the person with this phone, or the bot with this user name."""
        account = self.accounts.find(phone)
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
        """Answer a method with an RPC error, `times` times or until the faults are cleared."""
        self.faults.fail(method_fault(error, self._plain(phone), method), times)

    def answer_newer(
        self, method: str | None = None, *, phone: str | None = None, times: int | None = None
    ) -> None:
        """Carry out a method, but answer with an object that no client can read."""
        self.faults.fail(method_fault(None, self._plain(phone), method), times)

    def afflict(
        self,
        kind: Kind,
        phone: str | None = None,
        seconds: float | None = None,
        *,
        dc_id: int | None = None,
    ) -> None:
        """Begin a fault for one account or for all; a connection fault can be limited to one data centre."""
        condition = Condition.make(kind, self._plain(phone), seconds, self.time(), dc_id)
        if condition.lasts:
            self.faults.add(condition)
        if kind is Kind.CUT:
            self.cut(condition.phone, dc_id)
        elif act := _ACTS.get(kind):
            act(self, condition.phone)

    def clear_faults(self) -> None:
        self.faults.clear()

    def cut(self, phone: str | None = None, dc_id: int | None = None) -> None:
        """Break the connections of one account or of all, at one data centre or at both."""
        for connection in list(self.connections):
            owner = connection.key.phone if connection.key else None
            if phone in (None, owner) and dc_id in (None, connection.address.dc_id):
                connection.abort()

    def revoke(self, phone: str | None = None) -> None:
        """End every login of one account, or of all; the connections stay open, as with Telegram."""
        for account in self._named(phone):
            for key in self.keys.of_account(account):
                self.keys.sign_out(key)

    def burn_keys(self, phone: str | None = None) -> None:
        """Make every key of an account, or all keys, permanently unusable."""
        for account in self._named(phone):
            for key in self.keys.of_account(account):
                key.refusal = "AUTH_KEY_DUPLICATED"

    def forget_events(self, phone: str | None = None) -> None:
        """Drop the events so far, so that clients that missed some get differenceTooLong."""
        for account in self._named(phone):
            account.log.forget()

    def expire_file_references(self, phone: str | None = None) -> None:
        """Make all file references issued so far invalid; fetching a message gives a new one."""
        for account in self._named(phone):
            account.reference_epoch += 1

    def reset(self) -> None:
        """Forget everything but the ports and the RSA key."""
        self.cut()
        self.files.forget()
        self.begin()

    def _accept(self, address: Address) -> Connection:
        endpoint = Endpoint(
            address,
            self.keys_at(address.dc_id),
            self.server_key,
            self.faults,
            self.connections,
            partial(self._execute, address),
        )
        return Connection(endpoint)

    def _execute(self, address: Address, session: Session, message_id: int, request: Any) -> None:
        rpc.execute(rpc.Call(self, session, message_id, address), request)

    def _plain(self, phone: str | None) -> str | None:
        """Spell the name of an account as the account itself does, if there is one."""
        account = self.accounts.find(phone) if phone else None
        return account.phone if account else phone

    def _named(self, phone: str | None) -> list[Account]:
        return list(self.accounts) if phone is None else [self.account_of(phone)]


_ACTS: dict[Kind, Callable[[DataCentre, str | None], None]] = {
    Kind.REVOKE: DataCentre.revoke,
    Kind.DUPLICATE: DataCentre.burn_keys,
    Kind.TOO_LONG: DataCentre.forget_events,
    Kind.EXPIRED_REFERENCES: DataCentre.expire_file_references,
}
