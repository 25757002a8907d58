"""The tables of bots, of the people who registered with them, and of what they hear."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from supervisor.database.tables import Moment, Number

_metadata = Number.metadata
_IS_OPEN = text("done IS NULL")


def _owner(*, is_key: bool = False) -> Column[str]:
    owner = ForeignKey("number.digits", ondelete="CASCADE")
    return Column("number", String(20), owner, primary_key=is_key, nullable=False)


bot: Final = Table(
    "bot",
    _metadata,
    _owner(is_key=True),
    Column("username", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("language", String(2), nullable=False),
    Column("planfix_rest_url", Text),
    Column("planfix_rest_token", LargeBinary),
    Column("planfix_webhook_url", LargeBinary),
)

person: Final = Table(
    "bot_person",
    _metadata,
    _owner(is_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("username", Text),
    Column("phone", Text),
    Column("name", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("alias", Text),
    Column("is_muted", Boolean, nullable=False),
    Column("is_blocked", Boolean, nullable=False),
    Column("since", Moment, nullable=False),
    Index("bot_person_phone", "number", "phone"),
)

heard: Final = Table(
    "heard",
    _metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _owner(),
    Column("key", Text, nullable=False),
    Column("body", LargeBinary),
    Column("created", Moment, nullable=False),
    Column("done", Moment),
    UniqueConstraint("number", "key"),
    Index("heard_open", "number", "id", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    Index("heard_done", "done"),
)
