"""The templates of bots and numbers, and those of the operator for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, select

from supervisor.database.notification_tables import template
from supervisor.database.transactions import upsert

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.database import Database

EVERYBODY = ""
"""The owner of the operator's templates."""


class StoredTemplate(NamedTuple):
    """A template in one language; an empty language is for all."""

    name: str
    language: str
    text: str
    format: str


class Templates:
    """What callers have stored under names of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, owner: str, name: str) -> list[StoredTemplate]:
        """Return the template in all languages, the owner's own before those of everybody."""
        columns = (template.c.name, template.c.language, template.c.text, template.c.format)
        query = (
            select(*columns)
            .where(template.c.owner.in_({owner, EVERYBODY}), template.c.name == name)
            .order_by(template.c.owner.desc(), template.c.language)
        )
        return [StoredTemplate(*row) for row in await self._database.fetch(query)]

    async def save(self, owner: str, stored: StoredTemplate) -> None:
        row = {"owner": owner, **stored._asdict()}

        def unit(connection: Connection) -> None:
            upsert(connection, template, [row])

        await self._database.write(unit)

    async def delete(self, owner: str, name: str, language: str | None) -> bool:
        """Delete a template in one language or in all; return whether there was any."""
        statement = delete(template).where(template.c.owner == owner, template.c.name == name)
        if language is not None:
            statement = statement.where(template.c.language == language)

        def unit(connection: Connection) -> bool:
            return connection.execute(statement).rowcount > 0

        return await self._database.write(unit)
