"""The people who have registered with a bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, literal, select, update

from supervisor.database import bot_tables, tables
from supervisor.database.transactions import upsert

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection, Insert

    from supervisor.database.database import Database

_person = bot_tables.person.c
_bot = bot_tables.bot.c
_IS_ONLY_BLOCKED = (_person.name == "") & _person.username.is_(None) & _person.is_blocked
"""Somebody who has never registered, but blocks the bot."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has started a bot, with as much as they have told it about themselves."""

    user_id: int
    name: str
    language: str
    username: str | None = None
    phone: str | None = None
    alias: str | None = None
    is_muted: bool = False
    is_blocked: bool = False

    @property
    def muted(self) -> bool:
        """Whether nothing may be sent to them, because they wish so or because they block the bot."""
        return self.is_muted or self.is_blocked


class People:
    """The people of all bots."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, bot: str) -> tuple[Person, ...]:
        """Return who has registered with a bot, in the order in which they came."""
        query = (
            select(bot_tables.person)
            .where(_person.number == bot, ~_IS_ONLY_BLOCKED)
            .order_by(_person.since, _person.user_id)
        )
        return tuple(_as_value(row) for row in await self._database.fetch(query))

    async def get(self, bot: str, user_id: int) -> Person | None:
        return await self._first(bot, _person.user_id == user_id)

    async def find(
        self,
        bot: str,
        *,
        user_id: int | None = None,
        username: str | None = None,
        phone: str | None = None,
    ) -> Person | None:
        """Return the person with the first of these names that anybody has."""
        if user_id is not None and (found := await self.get(bot, user_id)):
            return found
        if username:
            bare = username.lstrip("@").lower()
            found = await self._first(bot, func.lower(_person.username) == bare)
            if found:
                return found
        if phone:
            digits = "".join(filter(str.isdigit, phone))
            return await self._first(bot, _person.phone == digits)
        return None

    async def find_muted(self, bot: str, user_ids: Collection[int]) -> frozenset[int]:
        """Return those of these people to whom nothing may be sent."""
        query = select(_person.user_id).where(
            _person.number == bot,
            _person.user_id.in_(sorted(user_ids)),
            _person.is_muted | _person.is_blocked,
        )
        return frozenset(row.user_id for row in await self._database.fetch(query))

    async def save(self, bot: str, person: Person) -> None:
        values = {
            "number": bot,
            "user_id": person.user_id,
            "username": person.username,
            "phone": person.phone,
            "name": person.name,
            "language": person.language,
            "alias": person.alias,
            "is_muted": person.is_muted,
            "is_blocked": person.is_blocked,
            "since": tables.now(),
        }

        def unit(connection: Connection) -> None:
            upsert(connection, bot_tables.person, [values], keep=("since",))

        await self._database.write(unit)

    async def block(self, bot: str, user_id: int, *, is_blocked: bool) -> None:
        """Record that somebody blocks the bot, or no longer does, also if they have never registered."""
        is_person = (_person.number == bot) & (_person.user_id == user_id)
        change = update(bot_tables.person).where(is_person).values(is_blocked=is_blocked)

        def unit(connection: Connection) -> None:
            connection.execute(delete(bot_tables.person).where(is_person, _IS_ONLY_BLOCKED))
            if not connection.execute(change).rowcount and is_blocked:
                connection.execute(_add_blocked(bot, user_id))

        await self._database.write(unit)

    async def _first(self, bot: str, where: ColumnElement[bool]) -> Person | None:
        query = (
            select(bot_tables.person)
            .where(_person.number == bot, where)
            .order_by(_person.since.desc())
            .limit(1)
        )
        rows = await self._database.fetch(query)
        return _as_value(rows[0]) if rows else None


def _add_blocked(bot: str, user_id: int) -> Insert:
    """Add somebody of whom only the block is known; a number, which is no bot, has no people."""
    known = {
        "number": _bot.number,
        "user_id": literal(user_id, _person.user_id.type),
        "name": literal(""),
        "language": _bot.language,
        "is_muted": literal(False),
        "is_blocked": literal(True),
        "since": literal(tables.now(), _person.since.type),
    }
    return insert(bot_tables.person).from_select(
        [*known], select(*known.values()).where(_bot.number == bot)
    )


def _as_value(row: Any) -> Person:
    return Person(
        user_id=row.user_id,
        name=row.name,
        language=row.language,
        username=row.username,
        phone=row.phone,
        alias=row.alias,
        is_muted=bool(row.is_muted),
        is_blocked=bool(row.is_blocked),
    )
