"""Statements that both databases understand: INSERT … ON CONFLICT, and lists of values in pieces."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import case
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Column, Connection, Row, Table

    Rows = Sequence[Mapping[str, Any]]
    from collections.abc import Iterable, Iterator


def upsert(connection: Connection, table: Table, rows: Rows, keep: Collection[str] = ()) -> None:
    """Insert rows that have the same columns, or overwrite the rows with the same primary keys.

    The columns in `keep` are set in new rows only.
    """
    if rows:
        connection.execute(_upsert(connection.dialect.name, table, (*rows[0],), (*keep,)), rows)


def upsert_counting(
    connection: Connection, table: Table, rows: Rows, name: str, keep: Collection[str] = ()
) -> None:
    """Like `upsert`, but add the value of this column to the one that is stored."""
    if rows:
        dialect = connection.dialect.name
        connection.execute(_upsert(dialect, table, (*rows[0],), (*keep,), counted=name), rows)


def upsert_newest(connection: Connection, table: Table, rows: Rows, name: str) -> None:
    """Like `upsert`, but never lower the value of this column."""
    connection.execute(_upsert_newest(connection.dialect.name, table, name), rows)


def insert_missing(connection: Connection, table: Table, rows: Rows | Mapping[str, Any]) -> None:
    if rows:
        connection.execute(_insert_missing(connection.dialect.name, table), rows)


def insert_missing_returning(
    connection: Connection, table: Table, rows: Rows, columns: Sequence[Column[Any]]
) -> Sequence[Row[Any]]:
    """Return the inserted rows; a row that conflicts with an earlier one is left out."""
    insert = _insert_missing_returning(connection.dialect.name, table, (*columns,))
    return connection.execute(insert, rows).all()


# Building a statement costs as much as executing it, so each is built once.
@cache
def _upsert(
    dialect: str, table: Table, names: tuple[str, ...], keep: tuple[str, ...], counted: str = ""
) -> Any:
    insert = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    new = {name: insert.excluded[name] for name in names if name not in {*keys, *keep}}
    if counted:
        new[counted] = table.c[counted] + insert.excluded[counted]
    return insert.on_conflict_do_update(index_elements=keys, set_=new)


@cache
def _upsert_newest(dialect: str, table: Table, name: str) -> Any:
    insert = _insert(dialect, table)
    known, new = table.c[name], insert.excluded[name]
    newest = case((new > known, new), else_=known)
    keys = [column.name for column in table.primary_key]
    return insert.on_conflict_do_update(index_elements=keys, set_={name: newest})


@cache
def _insert_missing(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _insert_missing_returning(dialect: str, table: Table, columns: tuple[Column[Any], ...]) -> Any:
    return _insert_missing(dialect, table).returning(*columns)


def _insert(dialect: str, table: Table) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


Value = TypeVar("Value")

# SQLite allows 32 766 parameters and PostgreSQL 32 767. Shorter statements also let other callers
# wait for less time.
MOST_VALUES: Final = 5000


def pieces(values: Iterable[Value], most: int = MOST_VALUES) -> Iterator[list[Value]]:
    """Split the values into lists of at most `most`; without values there is no list."""
    all_values = list(values)
    for start in range(0, len(all_values), most):
        yield all_values[start : start + most]
