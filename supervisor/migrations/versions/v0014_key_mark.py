"""Adds what tells whether two numbers hold one login, and the indexes by which long lists stay fast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014_key_mark"
down_revision = "0013_lookup"

_IS_QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    op.add_column("session", sa.Column("key_mark", sa.LargeBinary, nullable=True))
    op.create_index("journal_newest", "journal", ["number", "id"])
    op.create_index(
        "notification_scheduled",
        "notification_recipient",
        ["number", "not_before"],
        sqlite_where=_IS_QUEUED,
        postgresql_where=_IS_QUEUED,
    )


def downgrade() -> None:
    op.drop_index("notification_scheduled", "notification_recipient")
    op.drop_index("journal_newest", "journal")
    op.drop_column("session", "key_mark")
