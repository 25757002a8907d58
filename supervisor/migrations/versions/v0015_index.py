"""Adds the indexes by which the newest messages and the next notification are found in long lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015_index"
down_revision = "0014_key_mark"

_IS_QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
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
