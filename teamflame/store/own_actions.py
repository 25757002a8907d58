"""Stores what people do through the gateway: they are not notified of it, and others learn who did it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, tuple_

from supervisor.database.transactions import pieces, upsert
from teamflame.service.values import Person
from teamflame.store import tables
from teamflame.store.choices import Kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from supervisor.database.database import Database

LIFETIME = timedelta(hours=1)
"""How long a change at TeamFlame may take to be noticed, while the gateway or TeamFlame is down."""

_own = tables.own_action.c
_CHANGE = tuple_(_own.task_id, _own.kind, _own.about)
_MOST = 500  # changes in one statement


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a task, by which it is recognised on the board: the column, person or text of it."""

    task: str
    kind: Kind
    about: str = ""


def comment_change(task: str, text: str) -> Change:
    """Name a comment by its words, because TeamFlame does not always give comments an id."""
    words = " ".join(text.split())
    return Change(task, Kind.COMMENTED, hashlib.sha256(words.encode()).hexdigest())


class OwnActions:
    """The changes of the last hour that accounts have made through the bot or the Mini App."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, account: str, changes: Collection[Change]) -> None:
        """Note changes before they are made, so that neither a crash nor an early look misses them."""
        now = datetime.now(UTC)
        rows = [{**_row(each), "account": account, "made": now} for each in changes]
        old = delete(tables.own_action).where(_own.made < now - LIFETIME)

        def unit(connection: Connection) -> None:
            connection.execute(old)
            upsert(connection, tables.own_action, rows)

        await self._database.write(unit)

    async def remove(self, account: str, changes: Collection[Change]) -> None:
        """Forget changes that TeamFlame has refused."""
        await self._delete(changes, account)

    async def forget(self, changes: Collection[Change]) -> None:
        """Forget changes that have been seen on the board: the same change later is another one."""
        await self._delete(changes)

    async def actors_of(self, changes: Collection[Change]) -> dict[Change, Person]:
        """Find out who made changes; if several people made the same one, the last of them counts."""
        found: dict[Change, Person] = {}
        columns = (_own.task_id, _own.kind, _own.about, tables.account.c.id, tables.account.c.name)
        joined = tables.own_action.join(tables.account, _own.account == tables.account.c.id)
        since = datetime.now(UTC) - LIFETIME
        for piece in pieces(changes, _MOST):
            query = select(*columns).select_from(joined).order_by(_own.made)
            wanted = _CHANGE.in_([(each.task, each.kind.value, each.about) for each in piece])
            for row in await self._database.fetch(query.where(wanted, _own.made >= since)):
                change = Change(row.task_id, Kind(row.kind), row.about)
                found[change] = Person(row.id, row.name)
        return found

    async def _delete(self, changes: Collection[Change], account: str | None = None) -> None:
        rows = [(each.task, each.kind.value, each.about) for each in changes]

        def unit(connection: Connection) -> None:
            for piece in pieces(rows, _MOST):
                gone = delete(tables.own_action).where(_CHANGE.in_(piece))
                connection.execute(gone if account is None else gone.where(_own.account == account))

        if rows:
            await self._database.write(unit)


def _row(change: Change) -> dict[str, str]:
    return {"task_id": change.task, "kind": change.kind.value, "about": change.about}
