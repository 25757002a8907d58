"""INSERT that meets an existing row, in the dialect of either database."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import case
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Column, Row, Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    Rows = Sequence[Mapping[str, Any]]


async def upsert(
    connection: AsyncConnection, table: Table, rows: Rows, keep: Collection[str] = ()
) -> None:
    """Insert rows of the same columns; where a primary key exists already, overwrite those.

    The columns to `keep` are only set in a new row.
    """
    if not rows:
        return
    insert = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    new = {name: insert.excluded[name] for name in rows[0] if name not in {*keys, *keep}}
    await connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=new), rows)


async def upsert_newest(connection: AsyncConnection, table: Table, rows: Rows, name: str) -> None:
    """Like `upsert`, but this column never goes back to a lower value."""
    insert = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    known, new = table.c[name], insert.excluded[name]
    newest = case((new > known, new), else_=known)
    statement = insert.on_conflict_do_update(index_elements=keys, set_={name: newest})
    await connection.execute(statement, rows)


async def insert_missing(
    connection: AsyncConnection, table: Table, rows: Rows | Mapping[str, Any]
) -> None:
    if rows:
        await connection.execute(_insert_missing(connection.dialect.name, table), rows)


async def insert_missing_returning(
    connection: AsyncConnection, table: Table, rows: Rows, columns: Sequence[Column[Any]]
) -> Sequence[Row[Any]]:
    """Tell what was inserted; of rows that meet an existing one, or each other, nothing."""
    insert = _insert(connection, table).on_conflict_do_nothing().returning(*columns)
    return (await connection.execute(insert, rows)).all()


@cache
def _insert_missing(dialect: str, table: Table) -> Any:
    """Made once: making it costs as much as carrying it out."""
    return _dialect(dialect).insert(table).on_conflict_do_nothing()


def _insert(connection: AsyncConnection, table: Table) -> Any:
    return _dialect(connection.dialect.name).insert(table)


def _dialect(name: str) -> Any:
    return sqlite if name == "sqlite" else postgresql
