"""The numbers and clients in the database, and the starts, restarts and errors of their workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from supervisor.database import tables
from supervisor.database.tables import Wanted
from supervisor.database.writer import Claim, require_fresh
from supervisor.encryption.vault import Cell, hash_token, is_token, new_token
from supervisor.errors import NumberExists, NumberOfOtherClient, NumberUnknown
from supervisor.journal.chats import forget_memories
from supervisor.store.bots import keep_bot
from supervisor.store.number_rows import (
    AS_NEW,
    IS_NUMBER,
    IS_TO_RUN,
    QUERY,
    as_value,
    change,
    change_choice,
    client_id,
    drop_empty_clients,
    error_values,
    find,
    open_proxy,
    proxy_values,
    read,
    require,
    write_choice,
)
from supervisor.store.sessions import import_login
from supervisor.store.values import (
    Changes,
    ChatChoice,
    Created,
    LastError,
    NewNumber,
    Number,
    Secrets,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement, Connection

    from session_worker.protocol.proxy import Proxy
    from supervisor.database.database import Database
    from supervisor.encryption.vault import Vault


_number = tables.number.c
_PLACE = ("url_planfix", "provider_id")  # where Planfix keeps the tasks of the chats


class Numbers:
    """The numbers of all clients."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def create(self, new: NewNumber) -> Created:
        """Register a new number or a stopped one; only this answer contains its token.

        Raise SessionInUse if another number holds its login.
        """
        token = new_token()

        def unit(connection: Connection) -> Number:
            held = find(connection, _number.digits == new.number)
            if held is None:
                self._insert(connection, new, token)
            else:
                self._register_again(connection, held, new, token)
            row, chosen = require(connection, new.number), ChatChoice().after(new.chats)
            write_choice(connection, self._vault, row, chosen)
            if new.bot is not None:
                key = self._vault.open_data_key(new.number, row.data_key)
                keep_bot(connection, new.number, new.bot, key)
            if new.login is not None:
                import_login(connection, self._vault, row, new.login)
            return read(connection, new.number)

        return Created(await self._database.write(unit), token)

    async def change(self, number: str, changes: Changes) -> Number:
        """Raise SessionInUse if another number holds the new login; then nothing is changed."""

        def unit(connection: Connection) -> Number:
            held = require(connection, number)
            values = self._changed_values(connection, held, changes)
            _change_planfix(connection, held, values)
            change(connection, number, **values)
            change_choice(connection, self._vault, held, changes.chats)
            if changes.login is not None:
                import_login(connection, self._vault, held, changes.login)
            drop_empty_clients(connection)
            return read(connection, number)

        return await self._database.write(unit)

    async def start(self, number: str) -> Number:
        """Mark the number as wanted, and forget all its earlier trouble."""

        def unit(connection: Connection) -> Number:
            require(connection, number)
            change(connection, number, **AS_NEW)
            return read(connection, number)

        return await self._database.write(unit)

    async def stop(self, number: str) -> bool:
        """Mark the number as stopped; return whether it was wanted until now."""

        def unit(connection: Connection) -> bool:
            held = require(connection, number)
            change(connection, number, wanted=Wanted.STOPPED)
            return bool(held.wanted == Wanted.RUNNING)

        return await self._database.write(unit)

    async def purge(self, number: str) -> None:
        """Erase the number and all its data except for the audit log."""

        def unit(connection: Connection) -> None:
            require(connection, number)
            connection.execute(delete(tables.number).where(_number.digits == number))
            drop_empty_clients(connection)

        await self._database.write(unit)

    async def get(self, number: str) -> Number:
        row = await self._read_row(_number.digits == number)
        if row is None:
            raise NumberUnknown
        return as_value(row)

    async def get_with_token(self, number: str, token: str) -> Number | None:
        """Return the number if this is its token; unknown numbers take as long as wrong tokens."""
        row = await self._read_row(_number.digits == number)
        if not is_token(token, row.token_hash if row else None):
            return None
        return as_value(row)

    async def find_by_token(self, token: str) -> Number | None:
        row = await self._read_row(_number.token_hash == hash_token(token))
        return as_value(row) if row else None

    async def share_planfix(self, number: str, other: str) -> bool:
        """Return whether both numbers belong to the same client and use the same Planfix."""
        query = QUERY.where(_number.digits.in_({number, other}))
        held = [as_value(row) for row in await self._database.fetch(query)]
        shared = {(each.client, each.url_planfix) for each in held if each.url_planfix}
        return len(held) == 2 and len(shared) == 1 and all(each.url_planfix for each in held)

    async def secrets(self, number: str) -> Secrets:
        """Return the secrets that a worker of the number needs."""
        row = await self._read_row(_number.digits == number)
        if row is None:
            raise NumberUnknown
        key = self._vault.open_data_key(number, row.data_key)
        token = key.open(_cell(number), row.token_planfix).decode()
        return Secrets(token, open_proxy(row, key))

    async def list(
        self, client: str | None = None, *, are_bots: bool = False
    ) -> tuple[Number, ...]:
        """Return all numbers, or those of one client; or the bots instead of the numbers."""
        kind = ~IS_NUMBER if are_bots else IS_NUMBER
        if client is None:
            return await self._read(kind)
        return await self._read(kind, tables.client.c.name == client)

    async def list_to_run(self) -> tuple[Number, ...]:
        """Return the numbers whose workers should be started."""
        return await self._read(*IS_TO_RUN)

    async def _read_row(self, where: ColumnElement[bool]) -> Any:
        return await self._database.read(find, where)

    async def _read(self, *where: ColumnElement[bool]) -> tuple[Number, ...]:
        query = QUERY.where(*where).order_by(_number.digits)
        return tuple(as_value(row) for row in await self._database.fetch(query))

    def _insert(self, connection: Connection, new: NewNumber, token: str) -> None:
        wrapped = self._vault.new_data_key(new.number)
        row = tables.Number(
            digits=new.number,
            client_id=client_id(connection, new.client),
            url_planfix=new.url_planfix,
            token_planfix=self._seal(new.number, wrapped, new.token_planfix),
            provider_id=new.provider_id,
            user_email=new.user_email,
            token_hash=hash_token(token),
            data_key=wrapped,
            **self._sealed(new.number, wrapped, new.proxy),
        )
        connection.execute(insert(tables.number), row.model_dump())

    def _register_again(
        self, connection: Connection, held: Any, new: NewNumber, token: str
    ) -> None:
        if held.name != new.client:
            raise NumberOfOtherClient
        if held.wanted == Wanted.RUNNING or held.is_bot != (new.bot is not None):
            raise NumberExists
        values = {
            "url_planfix": new.url_planfix,
            "token_planfix": self._seal(new.number, held.data_key, new.token_planfix),
            "provider_id": new.provider_id,
            "user_email": new.user_email,
            "token_hash": hash_token(token),
            **self._sealed(new.number, held.data_key, new.proxy),
        }
        _change_planfix(connection, held, values)
        change(connection, new.number, **values, **AS_NEW)

    def _changed_values(
        self, connection: Connection, held: Any, changes: Changes
    ) -> dict[str, Any]:
        names = ("url_planfix", "provider_id", "user_email")
        values = {name: getattr(changes, name) for name in names}
        if changes.client is not None:
            values["client_id"] = client_id(connection, changes.client)
        if changes.token_planfix is not None:
            values["token_planfix"] = self._seal(held.digits, held.data_key, changes.token_planfix)
        values = {name: value for name, value in values.items() if value is not None}
        if changes.proxy is not None or changes.without_proxy:
            values |= self._sealed(held.digits, held.data_key, changes.proxy)
        return values

    def _sealed(self, number: str, wrapped: bytes, proxy: Proxy | None) -> dict[str, Any]:
        return proxy_values(number, proxy, self._vault.open_data_key(number, wrapped))

    def _seal(self, number: str, wrapped: bytes, token_planfix: str) -> bytes:
        key = self._vault.open_data_key(number, wrapped)
        return key.seal(_cell(number), token_planfix.encode())


def _change_planfix(connection: Connection, held: Any, values: dict[str, Any]) -> None:
    """If it is another Planfix, or another integration there, tell it everything from the beginning."""
    if any(values.get(name, getattr(held, name)) != getattr(held, name) for name in _PLACE):
        forget_memories(connection, held.digits)


def _cell(number: str) -> Cell:
    return Cell("number", number, "token_planfix")


class Runs:
    """Stores what happens to workers; each method raises `StaleEpoch` if a newer worker has started."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.require_owner: Callable[[Connection, str], None] = lambda _connection, _number: None
        """Raises StaleEpoch if another node runs the number."""

    async def take_epoch(self, number: str, seen: int) -> int:
        """Begin a new epoch before a worker starts, if `seen` is still the current one."""

        def unit(connection: Connection) -> int:
            require_fresh(connection, Claim(number, seen))
            self.require_owner(connection, number)
            change(connection, number, epoch=seen + 1)
            return seen + 1

        return await self._database.write(unit)

    async def park(self, number: str, epoch: int, reason: str) -> Number:
        return await self._write(number, epoch, parked=reason)

    async def count_restart(self, number: str, epoch: int) -> Number:
        return await self._write(number, epoch, restarts=tables.number.c.restarts + 1)

    async def set_last_error(self, number: str, epoch: int, error: LastError | None) -> Number:
        return await self._write(number, epoch, **error_values(error))

    async def _write(self, number: str, at: int, /, **values: Any) -> Number:
        def unit(connection: Connection) -> Number:
            require_fresh(connection, Claim(number, at))
            change(connection, number, **values)
            return read(connection, number)

        return await self._database.write(unit)
