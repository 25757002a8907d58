"""The tables of notifications, their recipients and their templates."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
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
_IS_QUEUED = text("state = 'queued'")
_NEEDS_LOOKUP = text("needs_lookup")


def _owner() -> Column[str]:
    owner = ForeignKey("number.digits", ondelete="CASCADE")
    return Column("number", String(20), owner, nullable=False)


notification: Final = Table(
    "notification",
    _metadata,
    Column("id", String(32), primary_key=True),
    _owner(),
    Column("dedup_key", Text),
    Column("body", LargeBinary),
    Column("created", Moment, nullable=False),
    Column("needs_lookup", Boolean),
    UniqueConstraint("number", "dedup_key"),
    Index("notification_created", "created"),
    Index(
        "notification_lookup",
        "number",
        "created",
        sqlite_where=_NEEDS_LOOKUP,
        postgresql_where=_NEEDS_LOOKUP,
    ),
)

recipient: Final = Table(
    "notification_recipient",
    _metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column(
        "notification",
        String(32),
        ForeignKey("notification.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    _owner(),
    Column("name", Text, nullable=False),
    Column("peer_id", BigInteger, nullable=False),
    Column("topic", Integer),
    Column("is_bulk", Boolean, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("expires", Float),
    Column("state", String(10), nullable=False),
    Column("error_code", Text),
    Index(
        "notification_queue",
        "number",
        "id",
        sqlite_where=_IS_QUEUED,
        postgresql_where=_IS_QUEUED,
    ),
    Index(
        "notification_scheduled",
        "number",
        "not_before",
        sqlite_where=_IS_QUEUED,
        postgresql_where=_IS_QUEUED,
    ),
    sqlite_autoincrement=True,
)

template: Final = Table(
    "template",
    _metadata,
    Column("owner", String(20), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("language", String(8), primary_key=True),
    Column("text", Text, nullable=False),
    Column("format", String(10), nullable=False),
)
"""The templates of a bot or a number; those of the operator, for everybody, have no owner."""
