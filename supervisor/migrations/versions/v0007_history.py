"""Adds the history of numbers and messages, dismissed dead letters, and alarms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_history"
down_revision = "0006_governor"

_MESSAGE_MOMENTS = ("tried", "read", "replayed", "dismissed")
_DEAD = sa.text("state = 'dead' AND dismissed IS NULL")


def upgrade() -> None:
    op.add_column("number", sa.Column("error_detail", sa.Text))
    op.add_column("number", sa.Column("heard", sa.Float))
    for name in _MESSAGE_MOMENTS:
        op.add_column("journal", sa.Column(name, sa.DateTime(timezone=True)))
    op.add_column("journal", sa.Column("replays", sa.Integer, nullable=False, server_default="0"))
    op.create_index(
        "journal_dead",
        "journal",
        ["number", "direction", "id"],
        sqlite_where=_DEAD,
        postgresql_where=_DEAD,
    )
    _create_state_changes()
    _create_failed_tries()
    _create_alarms()


def downgrade() -> None:
    for table in ("alarm", "failed_try", "state_change"):
        op.drop_table(table)
    op.drop_index("journal_dead", "journal")
    for name in ("replays", *_MESSAGE_MOMENTS):
        op.drop_column("journal", name)
    op.drop_column("number", "heard")
    op.drop_column("number", "error_detail")


def _create_state_changes() -> None:
    owner = sa.ForeignKey("number.digits", ondelete="CASCADE")
    op.create_table(
        "state_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("number", sa.String(20), owner, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("detail", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("state_change_number", "state_change", ["number", "id"])


def _create_failed_tries() -> None:
    owner = sa.ForeignKey("journal.id", ondelete="CASCADE")
    op.create_table(
        "failed_try",
        sa.Column("row", sa.BigInteger, owner, primary_key=True, autoincrement=False),
        sa.Column("replays", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("first", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
    )


def _create_alarms() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_try", sa.Float, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("done", sa.DateTime(timezone=True)),
    )
    pending = sa.text("state = 'pending'")
    op.create_index(
        "alarm_pending", "alarm", ["next_try"], sqlite_where=pending, postgresql_where=pending
    )
