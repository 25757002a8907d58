"""Stores accounts with their sealed tokens, and who has signed in to them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from supervisor.database.transactions import upsert
from supervisor.encryption.vault import Cell
from supervisor.errors import SealBroken, SecretKeyWrong
from teamflame.service.values import Access, Person
from teamflame.store import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from supervisor.database.database import Database
    from supervisor.encryption.vault import DataKey, Vault

_account = tables.account.c
_link = tables.link.c
_COLUMNS = (_account.id, _account.email, _account.name, _account.needs_sign_in)


@dataclass(frozen=True, slots=True)
class Account:
    """An account, and whether its tokens are of any use."""

    id: str
    email: str
    name: str
    needs_sign_in: bool


class AccountStore:
    """The accounts and links of all Telegram users."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def save(self, access: Access) -> Account:
        """Store an account that was signed in to, in place of what was known of it."""
        person = access.person
        wrapped = self._vault.new_data_key(_owner(person.id))
        row = {
            "id": person.id,
            "email": person.email,
            "name": person.name,
            "data_key": wrapped,
            **_sealed(self._vault.open_data_key(_owner(person.id), wrapped), access),
            "needs_sign_in": False,
        }
        await self._database.write(lambda each: upsert(each, tables.account, [row]))
        return Account(person.id, person.email, person.name, needs_sign_in=False)

    async def link(self, user_id: int, account: str, language: str, now: datetime) -> None:
        row = {"user_id": user_id, "account": account, "language": language, "since": now}

        def unit(connection: Connection) -> None:
            before = connection.scalar(select(_link.account).where(_link.user_id == user_id))
            upsert(connection, tables.link, [row])
            if before is not None and before != account:
                _drop_unused(connection, before)

        await self._database.write(unit)

    async def unlink(self, user_id: int) -> None:
        """Forget everything about a Telegram user, and the account if nobody else uses it."""

        def unit(connection: Connection) -> None:
            before = connection.scalar(select(_link.account).where(_link.user_id == user_id))
            for table in (
                tables.link,
                tables.selection,
                tables.subscription,
                tables.dialog,
                tables.button,
            ):
                connection.execute(delete(table).where(table.c.user_id == user_id))
            if before is not None:
                _drop_unused(connection, before)

        await self._database.write(unit)

    async def of_user(self, user_id: int) -> Account | None:
        query = _select_accounts().join(tables.link, _link.account == _account.id)
        return await self._find(query.where(_link.user_id == user_id))

    async def of_users(self, users: tuple[int, ...]) -> dict[int, Account]:
        query = select(_link.user_id, *_COLUMNS).join(tables.account, _link.account == _account.id)
        rows = await self._database.fetch(query.where(_link.user_id.in_(users)))
        return {user_id: Account(*rest) for user_id, *rest in rows}

    async def get(self, account: str) -> Account | None:
        return await self._find(_select_accounts().where(_account.id == account))

    async def access_of(self, account: str) -> Access | None:
        rows = await self._database.fetch(select(tables.account).where(_account.id == account))
        if not rows:
            return None
        row = rows[0]
        key = self._vault.open_data_key(_owner(row.id), row.data_key)
        return Access(
            token=key.open(_cell(row.id, "access"), row.access).decode(),
            renew_at=row.renew_at,
            refresh=key.open(_cell(row.id, "refresh"), row.refresh).decode(),
            person=Person(row.id, row.name, row.email),
        )

    async def renew(self, account: str, access: Access) -> None:
        """Store the renewed tokens of an account."""

        def unit(connection: Connection) -> None:
            query = select(_account.data_key).where(_account.id == account)
            wrapped = connection.scalar(query)
            if wrapped is not None:
                key = self._vault.open_data_key(_owner(account), wrapped)
                change = update(tables.account).where(_account.id == account)
                connection.execute(change.values(**_sealed(key, access, account)))

        await self._database.write(unit)

    async def require_sign_in(self, account: str) -> tuple[int, ...]:
        """Mark the account's tokens as useless; return whom to tell, if they were not told before."""

        def unit(connection: Connection) -> tuple[int, ...]:
            usable = (_account.id == account) & _account.needs_sign_in.is_(False)
            change = update(tables.account).where(usable).values(needs_sign_in=True)
            if not connection.execute(change).rowcount:
                return ()
            users = select(_link.user_id).where(_link.account == account)
            return tuple(connection.scalars(users))

        return await self._database.write(unit)

    async def languages_of(self, users: tuple[int, ...]) -> dict[int, str]:
        query = select(_link.user_id, _link.language).where(_link.user_id.in_(users))
        return {row.user_id: row.language for row in await self._database.fetch(query)}

    async def rewrap(self) -> None:
        """Wrap the data keys of all accounts with the first key of SECRET_KEY."""
        await self._database.write(self._rewrap)

    def _rewrap(self, connection: Connection) -> None:
        for row in connection.execute(select(_account.id, _account.data_key)).all():
            if self._vault.is_current(row.data_key):
                continue
            with suppress(SealBroken, SecretKeyWrong):  # its people have to sign in again
                renewed = self._vault.rewrap_data_key(_owner(row.id), row.data_key)
                change = update(tables.account).where(_account.id == row.id)
                connection.execute(change.values(data_key=renewed))

    async def _find(self, query: Any) -> Account | None:
        rows = await self._database.fetch(query)
        return Account(*rows[0]) if rows else None


def _select_accounts() -> Any:
    return select(*_COLUMNS)


def _drop_unused(connection: Connection, account: str) -> None:
    left = select(func.count()).where(_link.account == account)
    if not connection.scalar(left):
        own_actions = tables.own_action.c.account == account
        connection.execute(delete(tables.own_action).where(own_actions))
        connection.execute(delete(tables.account).where(_account.id == account))


def _sealed(key: DataKey, access: Access, account: str | None = None) -> dict[str, Any]:
    row = account or access.person.id
    return {
        "access": key.seal(_cell(row, "access"), access.token.encode()),
        "refresh": key.seal(_cell(row, "refresh"), access.refresh.encode()),
        "renew_at": access.renew_at,
    }


def _owner(account: str) -> str:
    return f"teamflame {account}"


def _cell(account: str, column: str) -> Cell:
    return Cell("teamflame_account", account, column)
