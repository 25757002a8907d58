"""How the two databases are opened."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import bindparam, text

from supervisor import file_access
from supervisor.database.database import Database
from supervisor.database.engines import database_url, make_private_file
from supervisor.database.transactions import open_writer
from supervisor.errors import DatabaseRefused, DatabaseUnavailable, DatabaseUrlInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:////tmp/a.db", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:////tmp/a.db", "sqlite+pysqlite"),
        ("postgres://u:p@h/n", "postgresql+asyncpg"),
        ("postgresql://u:p@h/n", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u:p@h/n", "postgresql+asyncpg"),
    ],
)
def test_plain_url_gets_its_driver(given: str, driver: str) -> None:
    """Addresses are taken as platforms hand them out."""
    assert database_url(given).drivername == driver


def test_sslmode_becomes_what_asyncpg_knows() -> None:
    """A libpq address that asks for TLS gets it."""
    assert database_url("postgres://u:p@h/n?sslmode=require").query == {"ssl": "require"}


@pytest.mark.parametrize(
    "given", ["", "nonsense", "mysql://u:hush@h/n", "sqlite://", "postgres://h"]
)
def test_other_url_is_refused(given: str) -> None:
    """An address that can't work is refused in words that show no password."""
    with pytest.raises(DatabaseUrlInvalid, match="DATABASE_URL") as caught:
        database_url(given)

    assert "hush" not in str(caught.value)


def test_sqlite_file_is_private(tmp_path: Path) -> None:
    """The database file is readable for nobody else, its folder being made."""
    file = tmp_path / "new" / "telefix.db"

    make_private_file(database_url(f"sqlite:///{file}"))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == file_access.MODE


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("secure_delete", 1)],
)
async def test_sqlite_writer_is_durable(sqlite_url: str, pragma: str, value: object) -> None:
    """Every writing connection has the settings that a durable commit needs."""
    transactor = open_writer(database_url(sqlite_url))

    ask = text(f"PRAGMA {pragma}")
    found = await transactor.transact(lambda connection: connection.execute(ask).scalar_one())
    assert found == value
    await transactor.dispose()


async def test_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """A server that is not there is `DatabaseUnavailable`, not a stranger's exception."""
    database = Database(f"postgresql://u:p@/n?host={tmp_path}")

    with pytest.raises(DatabaseUnavailable):
        await database.has_table("number")
    with pytest.raises(DatabaseUnavailable):
        await database.start()

    await database.stop()


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("SELECT nothing", {}),
        ("INSERT INTO audit (id) VALUES (1)", {}),
        ("DELETE FROM audit WHERE id = :id", {"id": 10**30}),
        ("DELETE FROM audit WHERE who = :who", {"who": "\ud800"}),
        ("DELETE FROM audit WHERE id IN :ids", {"ids": range(260_000)}),
    ],
    ids=["unknown", "incomplete", "huge", "half", "many"],
)
async def test_refused_statement_is_no_outage(
    database_url: str, statement: str, values: dict[str, Any]
) -> None:
    """What would fail for ever is not taken for a database that is away, nor are its values told."""
    database = Database(database_url)
    await database.start()
    query = text(statement)
    if "ids" in values:
        query = query.bindparams(bindparam("ids", expanding=True))

    with pytest.raises(DatabaseRefused) as refused:
        await database.write(lambda connection: connection.execute(query, values))

    assert len(str(refused.value)) < 100
    await database.stop()


async def test_locked_database_is_an_outage(sqlite_url: str) -> None:
    """Whoever finds the file locked may try again."""
    database = Database(sqlite_url)
    await database.start()
    hurry = text("PRAGMA busy_timeout = 1")

    def impatiently(connection: Connection) -> None:
        connection.execute(hurry)

    await database.write(impatiently)
    with closing(sqlite3.connect(sqlite_url.partition(":///")[2])) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable):
            await database.write(impatiently)

    await database.write(impatiently)
    await database.stop()


@pytest.mark.parametrize("cut", ["pg_terminate_backend", "pg_cancel_backend"])
async def test_lost_connection_is_an_outage(postgres_url: str, cut: str) -> None:
    """A statement that the server breaks off may be tried again."""
    database = Database(postgres_url)
    await database.start()

    with pytest.raises(DatabaseUnavailable):
        await database.write(
            lambda connection: connection.execute(text(f"SELECT {cut}(pg_backend_pid())"))
        )

    await database.has_table("number")
    await database.stop()


async def test_cut_connection_is_made_anew(postgres_url: str) -> None:
    """After the server cut our connections both reads or writes just go on."""
    database = Database(postgres_url)
    await database.start()
    await database.has_table("number")

    def cut(connection: Connection) -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        connection.execute(text(f"{others}current_database() AND pid <> pg_backend_pid()"))

    other = Database(postgres_url)
    await other.start()
    await other.write(cut)

    await database.write(lambda connection: connection.execute(text("DELETE FROM audit")))
    await database.has_table("number")

    await other.stop()
    await database.stop()
