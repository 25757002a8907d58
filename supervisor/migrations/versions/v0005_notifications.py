"""Adds notifications, their recipients and their templates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_notifications"
down_revision = "0004_proxy"


def upgrade() -> None:
    op.add_column("journal", sa.Column("connector", sa.String(10), nullable=True))
    _create_notification()
    _create_recipient()
    op.create_table(
        "template",
        sa.Column("owner", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("format", sa.String(10), nullable=False),
    )


def downgrade() -> None:
    for table in ("template", "notification_recipient", "notification"):
        op.drop_table(table)
    op.drop_column("journal", "connector")


def _owner() -> sa.Column[str]:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    return sa.Column("number", sa.String(20), owner, nullable=False)


def _create_notification() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.String(32), primary_key=True),
        _owner(),
        sa.Column("dedup_key", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("number", "dedup_key"),
    )
    op.create_index("notification_created", "notification", ["created"])


def _create_recipient() -> None:
    notification = sa.ForeignKey("notification.id", ondelete="CASCADE")
    op.create_table(
        "notification_recipient",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("notification", sa.String(32), notification, nullable=False, index=True),
        _owner(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("peer_id", sa.BigInteger, nullable=False),
        sa.Column("topic", sa.Integer),
        sa.Column("is_bulk", sa.Boolean, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("error_code", sa.Text),
        sqlite_autoincrement=True,
    )
    is_queued = sa.text("state = 'queued'")
    op.create_index(
        "notification_queue",
        "notification_recipient",
        ["number", "id"],
        sqlite_where=is_queued,
        postgresql_where=is_queued,
    )
