"""Brings the database's tables up to this version of the code."""

from __future__ import annotations

import asyncio
from importlib import resources
from typing import TYPE_CHECKING, Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import text

from supervisor.errors import DatabaseTooNew

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supervisor.database.transactions import Transactor


_ONE_AT_A_TIME: Final = text("SELECT pg_advisory_xact_lock(32286, 61894)")


async def migrate(transactor: Transactor) -> None:
    """Run the missing migrations in one transaction."""
    scripts = await asyncio.to_thread(_load_scripts)
    await transactor.transact(lambda connection: _upgrade(connection, scripts))


def _load_scripts() -> ScriptDirectory:
    scripts = ScriptDirectory(str(resources.files("supervisor") / "migrations"))
    scripts.get_heads()  # reads the files now, in this thread, and not later in the event loop
    return scripts


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(_ONE_AT_A_TIME)  # nodes may start at the same moment
    context = MigrationContext.configure(
        connection, opts={"fn": lambda current, _context: _missing(scripts, current)}
    )
    try:
        with Operations.context(context):
            context.run_migrations()
    except RevisionError as exc:
        raise DatabaseTooNew(str(exc)) from exc


def _missing(scripts: ScriptDirectory, current: tuple[str, ...]) -> list[MigrationStep]:
    revisions = list(scripts.iterate_revisions("heads", current or "base"))
    return [
        MigrationStep.upgrade_from_script(scripts.revision_map, revision)
        for revision in reversed(revisions)
    ]
