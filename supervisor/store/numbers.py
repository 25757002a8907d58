"""The numbers: who they belong to, what is wanted of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from supervisor import models, tokens
from supervisor.errors import NumberExists, NumberOfOtherClient, NumberUnknown
from supervisor.models import Login, Wanted
from supervisor.store import rows, tables
from supervisor.store.sealed_proxy import open_proxy, proxy_values
from supervisor.store.values import Changes, Created, NewNumber, Number, Secrets
from supervisor.vault import Cell

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from session_worker.proxy import Proxy
    from supervisor.database import Database
    from supervisor.vault import Vault

_number = tables.number.c


class Numbers:
    """Stored numbers of all clients."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def create(self, new: NewNumber) -> Created:
        """Register a number, or a stopped one again; only this answer holds its token."""
        token = tokens.new_token()

        async def unit(connection: AsyncConnection) -> Number:
            held = await rows.find(connection, _number.digits == new.number)
            if held is None:
                await self._insert(connection, new, token)
            else:
                await self._register_again(connection, held, new, token)
            return await rows.read(connection, new.number)

        return Created(await self._database.write(unit), token)

    async def change(self, number: str, changes: Changes) -> Number:
        async def unit(connection: AsyncConnection) -> Number:
            held = await rows.require(connection, number)
            values = await self._changed_values(connection, held, changes)
            await rows.change(connection, number, **values)
            await rows.drop_empty_clients(connection)
            return await rows.read(connection, number)

        return await self._database.write(unit)

    async def start(self, number: str) -> Number:
        """Want it to run, with a clean slate."""

        async def unit(connection: AsyncConnection) -> Number:
            await rows.require(connection, number)
            await rows.change(connection, number, **rows.AS_NEW)
            return await rows.read(connection, number)

        return await self._database.write(unit)

    async def stop(self, number: str) -> bool:
        """Want it to rest; return whether it was to run until now."""

        async def unit(connection: AsyncConnection) -> bool:
            held = await rows.require(connection, number)
            await rows.change(connection, number, wanted=Wanted.STOPPED)
            return bool(held.wanted == Wanted.RUNNING)

        return await self._database.write(unit)

    async def purge(self, number: str) -> None:
        """Erase the number with all its data, the audit log excepted."""

        async def unit(connection: AsyncConnection) -> None:
            await rows.require(connection, number)
            await connection.execute(delete(tables.number).where(_number.digits == number))
            await rows.drop_empty_clients(connection)

        await self._database.write(unit)

    async def get(self, number: str) -> Number:
        row = await self._read_row(_number.digits == number)
        if row is None:
            raise NumberUnknown
        return rows.as_value(row)

    async def get_with_token(self, number: str, token: str) -> Number | None:
        """Return the number if the token is its own; unknown numbers take as long as wrong tokens."""
        row = await self._read_row(_number.digits == number)
        if not tokens.is_token(token, row.token_hash if row else None):
            return None
        return rows.as_value(row)

    async def find_by_token(self, token: str) -> Number | None:
        row = await self._read_row(_number.token_hash == tokens.hash_token(token))
        return rows.as_value(row) if row else None

    async def share_planfix(self, number: str, other: str) -> bool:
        """Say whether both belong to one client, with one integration in one Planfix."""
        query = rows.QUERY.where(_number.digits.in_({number, other}))
        async with self._database.read() as connection:
            held = [rows.as_value(row) for row in await connection.execute(query)]
        return len(held) == 2 and len({(each.client, each.url_planfix) for each in held}) == 1

    async def planfix_token(self, number: str) -> str:
        return (await self.secrets(number)).token_planfix

    async def secrets(self, number: str) -> Secrets:
        """Return what a worker of the number needs to open."""
        row = await self._read_row(_number.digits == number)
        if row is None:
            raise NumberUnknown
        key = self._vault.open_data_key(number, row.data_key)
        token = key.open(_cell(number), row.token_planfix).decode()
        return Secrets(token, open_proxy(row, key))

    async def list(self, client: str | None = None) -> tuple[Number, ...]:
        if client is None:
            return await self._read()
        return await self._read(tables.client.c.name == client)

    async def list_to_run(self) -> tuple[Number, ...]:
        """Return the numbers whose workers are to be started."""
        return await self._read(
            _number.wanted == Wanted.RUNNING,
            _number.parked.is_(None),
            _number.login != Login.BANNED,
        )

    async def _read_row(self, where: ColumnElement[bool]) -> Any:
        async with self._database.read() as connection:
            return await rows.find(connection, where)

    async def _read(self, *where: ColumnElement[bool]) -> tuple[Number, ...]:
        query = rows.QUERY.where(*where).order_by(_number.digits)
        async with self._database.read() as connection:
            return tuple(rows.as_value(row) for row in await connection.execute(query))

    async def _insert(self, connection: AsyncConnection, new: NewNumber, token: str) -> None:
        wrapped = self._vault.new_data_key(new.number)
        row = models.Number(
            digits=new.number,
            client_id=await rows.client_id(connection, new.client),
            url_planfix=new.url_planfix,
            token_planfix=self._seal(new.number, wrapped, new.token_planfix),
            provider_id=new.provider_id,
            user_email=new.user_email,
            token_hash=tokens.hash_token(token),
            data_key=wrapped,
            **self._sealed(new.number, wrapped, new.proxy),
        )
        await connection.execute(insert(tables.number), row.model_dump())

    async def _register_again(
        self, connection: AsyncConnection, held: Any, new: NewNumber, token: str
    ) -> None:
        if held.name != new.client:
            raise NumberOfOtherClient
        if held.wanted == Wanted.RUNNING:
            raise NumberExists
        values = {
            "url_planfix": new.url_planfix,
            "token_planfix": self._seal(new.number, held.data_key, new.token_planfix),
            "provider_id": new.provider_id,
            "user_email": new.user_email,
            "token_hash": tokens.hash_token(token),
            **self._sealed(new.number, held.data_key, new.proxy),
        }
        await rows.change(connection, new.number, **values, **rows.AS_NEW)

    async def _changed_values(
        self, connection: AsyncConnection, held: Any, changes: Changes
    ) -> dict[str, Any]:
        names = ("url_planfix", "provider_id", "user_email")
        values = {name: getattr(changes, name) for name in names}
        if changes.client is not None:
            values["client_id"] = await rows.client_id(connection, changes.client)
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


def _cell(number: str) -> Cell:
    return Cell("number", number, "token_planfix")
