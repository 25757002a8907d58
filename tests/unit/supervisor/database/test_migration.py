"""The tables that migrations make are the tables that the models describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from supervisor.database.database import Database
from supervisor.database.notification_tables import notification
from supervisor.database.number_tables import governor
from supervisor.errors import DatabaseTooNew
from teamflame.store import tables as teamflame_tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


async def test_migrations_make_the_models(database_url: str) -> None:
    """No difference is left after the migrations ran."""
    database = Database(database_url)
    await database.start()

    differences = await database.read(compare)

    await database.stop()
    assert differences == []


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    """A second start on the same database finds it ready."""
    for _ in range(2):
        database = Database(database_url)
        await database.start()
        assert await database.has_table("number")
        await database.stop()


async def test_newer_database_is_refused(database_url: str) -> None:
    """Tables of a version we do not know are left alone, with words that say so."""
    database = Database(database_url)
    await database.start()
    await database.write(come_from_the_future)
    await database.stop()

    again = Database(database_url)
    with pytest.raises(DatabaseTooNew, match="newer"):
        await again.start()
    await again.stop()


def compare(connection: Connection) -> Any:
    # The folder of the versions is no part of it, so this needs no files.
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert governor.metadata is notification.metadata
    assert teamflame_tables.account.metadata is notification.metadata
    return compare_metadata(context, notification.metadata)


def come_from_the_future(connection: Connection) -> None:
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
